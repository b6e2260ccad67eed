"""What the schema says of every key: its meaning, what it changes, which numbers it may be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from segrun.config.experiment import schemas
from segrun.config.key import Effect, Range
from segrun.errors import ConfigError


def conf_directory() -> Path:
    """Return the folder of the packaged YAML: segrun/conf in a wheel, conf/ in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def user_conf_directory() -> Path | None:
    """Return the user's own folder of YAML beside the current directory, None without one."""
    own = Path.cwd() / "conf"
    return own if own.is_dir() and not own.samefile(conf_directory()) else None


def choice_of(kind: Any) -> type[Enum] | None:
    """Return the choices of a key, of one that may be null, too."""
    first = (*get_args(kind), None)[0] if type(None) in get_args(kind) else kind
    return first if isinstance(first, type) and issubclass(first, Enum) else None


def item_type(kind: Any) -> type | None:
    """Return the type of a mapping's values where the schema has one for them."""
    item = (*get_args(kind), None, None)[1]
    typed = isinstance(item, type) and (is_dataclass(item) or issubclass(item, Enum))
    return item if typed else None


def declarations() -> Iterator[tuple[str, Field[Any]]]:
    """Yield every key by its full name, such as ``timing.repeats``, of every option of a group.

    Keys below a name of the user's own have ``*`` in its place: ``features.columns.*.function``.
    """
    for group, _, schema in schemas():
        place = group.removeprefix("schema").removeprefix("/")
        yield from _declared(schema, f"{place}." if place else "")


def _declared(schema: type, prefix: str) -> Iterator[tuple[str, Field[Any]]]:
    types = get_type_hints(schema)
    for item in fields(schema):
        yield prefix + item.name, item
        if is_dataclass(types[item.name]):
            yield from _declared(types[item.name], f"{prefix}{item.name}.")
        inner = item_type(types[item.name])
        if is_dataclass(inner):
            yield from _declared(inner, f"{prefix}{item.name}.*.")


def documentation() -> dict[str, str]:
    """Return the documentation of every key by its full name; see `declarations`."""
    return {name: item.metadata["doc"] for name, item in declarations()}


def meaning(name: str) -> str:
    """Return the documentation of a key, or of the mapping that it is a name in."""
    known = documentation()
    holder, _, last = name.rpartition(".")
    # A column's settings are documented once for all columns.
    setting = f"{holder.rpartition('.')[0]}.*.{last}"
    return known.get(name) or known.get(setting) or known.get(holder, "")


@cache
def effects() -> dict[str, Effect]:
    """Return what every key changes, by its full name; groups of keys are not in it."""
    found = {n: item.metadata["effect"] for n, item in declarations() if "effect" in item.metadata}
    return {name: effect for name, effect in found.items() if "*" not in name}


def values_with(
    experiment: Mapping[str, Any], wanted: Collection[Effect], prefix: str = ""
) -> dict[str, Any]:
    """Return the plain values of an experiment that have one of these effects.

    A key that the schema does not have, of an experiment of another version, counts as well.
    """
    known, found = effects(), {}
    for name, value in experiment.items():
        effect = known.get(prefix + name)
        if effect in wanted or (effect is None and not isinstance(value, dict)):
            found[name] = value
        elif effect is None and (inner := values_with(value, wanted, f"{prefix}{name}.")):
            found[name] = inner
    return found


def check_ranges(settings: Any, group: str = "") -> None:
    """Refuse a number that is out of the range that its key declares."""
    for item in fields(settings):
        value, name = getattr(settings, item.name), f"{group}.{item.name}".removeprefix(".")
        allowed = item.metadata.get("range", Range())
        if is_dataclass(value):
            check_ranges(value, name)
        elif isinstance(value, int | float) and value not in allowed:
            null = ", or null" if "None" in str(item.type) else ""
            raise ConfigError(
                f"{name} must be {allowed}{null}. Got {value} instead{_set_in(name, value)}"
            )


def _set_in(name: str, value: float) -> str:
    """Say which of the user's YAML files set a key to this value."""
    own = user_conf_directory()
    found = (
        [str(file) for file in sorted(own.rglob("*.yaml")) if _sets(file, own, name, value)]
        if own
        else []
    )
    return f", set in {' or '.join(found)}" if found else ""


def _sets(file: Path, own: Path, name: str, value: float) -> bool:
    group = file.parent.relative_to(own).as_posix()
    place = "" if group in (".", "experiment") else f"{group}."
    try:
        values = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    except (OmegaConfBaseException, YAMLError, UnicodeDecodeError):
        return False
    if not name.startswith(place):
        return False
    for part in name.removeprefix(place).split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return bool(values == value)
