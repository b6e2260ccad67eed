"""What every key means."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import get_type_hints

from segrun.config.experiment import schemas
from segrun.config.kinds import item_type


def documentation() -> dict[str, str]:
    """Return the documentation of every key by its full name, such as ``timing.repeats``.

    Keys below a name of the user's own have ``*`` in its place: ``features.columns.*.function``.
    """
    found: dict[str, str] = {}
    for group, _, schema in schemas():
        place = group.removeprefix("schema").removeprefix("/")
        _document(schema, f"{place}." if place else "", found)
    return found


def meaning(name: str) -> str:
    """Return the documentation of a key, or of the mapping that it is a name in."""
    known = documentation()
    holder, _, last = name.rpartition(".")
    # A column's settings are documented once for all columns.
    setting = f"{holder.rpartition('.')[0]}.*.{last}"
    return known.get(name) or known.get(setting) or known.get(holder, "")


def _document(schema: type, prefix: str, found: dict[str, str]) -> None:
    types = get_type_hints(schema)
    for item in fields(schema):
        found[prefix + item.name] = item.metadata["doc"]
        if is_dataclass(types[item.name]):
            _document(types[item.name], f"{prefix}{item.name}.", found)
        inner = item_type(types[item.name])
        if is_dataclass(inner):
            _document(inner, f"{prefix}{item.name}.*.", found)
