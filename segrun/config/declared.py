"""What the schema declares a key to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from segrun.config import schemas
from segrun.config.settings import SETTINGS


@dataclass(frozen=True)
class DeclaredKey:
    """One reading of a key: choices of a group may declare it otherwise."""

    kind: Any
    path: tuple[str, ...]
    named: int | None = None

    @property
    def is_text(self) -> bool:
        """Whether the value is a text."""
        return self.kind is str

    @property
    def is_open(self) -> bool:
        """Whether the value is a mapping whose names are the user's own."""
        return get_origin(self.kind) is dict and _owned(get_args(self.kind)[1])


def declared(name: str) -> list[DeclaredKey]:
    """Return every reading that a key has in the schema, of segrun or of ``hydra``."""
    found = []
    for place, schema in _roots():
        if name.startswith(place):
            found += _read(schema, name[len(place) :], tuple(place.split(".")[:-1]), None)
    return found


def _roots() -> Iterator[tuple[str, Any]]:
    from hydra.conf import HydraConf

    yield "hydra.", HydraConf
    for group, _, schema in (*schemas(), *SETTINGS):
        place = group.removeprefix("schema").removeprefix("/")
        yield f"{place.replace('/', '.')}." if place else "", schema


def _read(kind: Any, name: str, path: tuple[str, ...], named: int | None) -> list[DeclaredKey]:
    kind = _not_null(kind)
    if not name:
        return [DeclaredKey(kind, path, named)]
    if isinstance(kind, type) and is_dataclass(kind):
        head, _, rest = name.partition(".")
        types = _types(kind)
        if head in types:
            return _read(types[head], rest, (*path, head), named)
        # Of a name of the user's own, a key that there is not: for the composition to refuse.
        return [DeclaredKey(None, (*path, *name.split(".")), named)] if named else []
    if get_origin(kind) is not dict:
        return []
    item = get_args(kind)[1]
    if not _owned(item):
        parts = name.split(".")
        return [DeclaredKey(item if len(parts) == 1 else Any, (*path, *parts), named)]
    entry, rest = _entry(name, item)
    return _read(item, rest, (*path, entry), len(path) + 1)


def _entry(name: str, item: Any) -> tuple[str, str]:
    """Divide a key below a mapping into the name there, which may have points, and the rest."""
    entry, _, rest = name.rpartition(".")
    setting = is_dataclass(item) and re.fullmatch(r"[a-z_]+", rest)
    return (entry, rest) if entry and setting else (name, "")


def _owned(item: Any) -> bool:
    # Parameters of an algorithm, which may be anything, have the names that it gives them.
    return is_dataclass(item) or (isinstance(item, type) and issubclass(item, str | Enum))


def _not_null(kind: Any) -> Any:
    rest = [part for part in get_args(kind) if part is not type(None)]
    return rest[0] if len(rest) == 1 and get_origin(kind) not in (dict, list) else kind


@cache
def _types(schema: Any) -> dict[str, Any]:
    return get_type_hints(schema)
