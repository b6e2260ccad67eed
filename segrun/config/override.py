"""KEY=VALUE as people type it, made into what Hydra's grammar takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from segrun.config import read_value
from segrun.config.clustering import SegmentsConfig
from segrun.config.declared import DeclaredKey, declared
from segrun.errors import ConfigError

#: A value of a list such as a,'b,c',d\\,e in a multirun.
_ELEMENT = re.compile(r"""\s*('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?:\\,|[^,])*)\s*(?:,|$)""")


def as_typed(arguments: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    """Return arguments that Hydra reads as they were meant.

    Where the schema declares a key as text, a value that Hydra's grammar does not take, or takes
    for something else, is the text that was typed; in a multirun a list divided by commas stays
    one. A name in a mapping whose names are the user's own need not be there yet.
    """
    arguments = list(arguments)
    several = bool({"-m", "--multirun"} & set(arguments))
    given: dict[str, Any] = {}
    found = [_as_typed(argument, several, given) for argument in arguments]
    return [argument for argument in found if argument is not None], given


def setting(argument: str) -> tuple[tuple[str, ...], Any]:
    """Return the path and the value of KEY=VALUE, for commands that are not Hydra's."""
    key, _, text = argument.partition("=")
    readings = declared(key)
    path = readings[0].path if readings else tuple(key.split("."))
    return path, _value(text) if any(r.is_text for r in readings) else read_value(text)


def settings(arguments: Iterable[str]) -> dict[str, Any]:
    """Return the values of several KEY=VALUE as nested mappings; see `setting`."""
    found: dict[str, Any] = {}
    for argument in arguments:
        lay(found, *setting(argument))
    return found


def lay(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set one value in nested mappings; mappings are merged."""
    *holders, last = path
    for name in holders:
        values = values.setdefault(name, {})
    if isinstance(value, dict) and isinstance(values.get(last), dict):
        for name, inner in value.items():
            lay(values[last], (name,), inner)
    else:
        values[last] = value


def _as_typed(argument: str, several: bool, given: dict[str, Any]) -> str | None:
    """Return the argument for Hydra, None where `given` has taken it."""
    key, equals, text = argument.partition("=")
    name = key.lstrip("+")
    readings = declared(name) if equals else []
    if not readings:
        return argument
    is_text = any(reading.is_text for reading in readings)
    if is_text:
        text = _texts(text, several)
    one = next((reading for reading in readings if reading.named), readings[0])
    if not (is_text or _parsed(text)) or not _hydra_key(one):
        value = _beyond(argument, one, text, is_text=is_text, several=several)
        if value is not None:
            lay(given, one.path, value)
        return argument if value is None else None
    if any(reading.is_open for reading in readings):
        return _mapping(name, text, given)
    if one.named is None:
        return f"{key}={text}"
    _name(given, one)
    return f"{name}={text}"


def _mapping(name: str, text: str, given: dict[str, Any]) -> str:
    """Return the argument for a mapping whose names are the user's own; see `_name`."""
    parsed = _parsed(text)
    if parsed is None or parsed.is_sweep_override():
        return f"++{name}={text}"
    entries = parsed.value()
    for entry in entries if isinstance(entries, dict) else ():
        for reading in declared(f"{name}.{entry}"):
            if reading.named:
                _name(given, reading)
    return f"{name}={text}"


def _name(given: dict[str, Any], one: DeclaredKey) -> None:
    """Let there be an entry of a name, for the argument to set, or a key of it."""
    assert one.named is not None
    *holders, name = one.path[: one.named]
    for holder in holders:
        given = given.setdefault(holder, {})
    itself = one.named == len(one.path) and not is_dataclass(one.kind)
    given.setdefault(name, "???" if itself else {})


def _beyond(argument: str, one: DeclaredKey, text: str, *, is_text: bool, several: bool) -> Any:
    """Return a value that Hydra cannot be told, None where it is for Hydra to refuse."""
    if is_text:
        parsed = _parsed(text)
        assert parsed is not None
        swept = parsed.is_sweep_override()
        value = None if swept else _plain(parsed)
    else:
        try:
            value = read_value(text)
        except ConfigError:
            return None
        many = isinstance(value, dict | list)
        swept = several and "," in text and not many
        # A filling of a column may be any text.
        if not many and _hydra_key(one) and one.kind is not Any:
            return None
    if swept:
        raise ConfigError(
            f"{argument}: {'.'.join(one.path)} cannot be swept here, as Hydra's grammar lacks some "
            "of its letters. Give each value a file, conf/experiment/NAME.yaml, and sweep over "
            "experiment"
        )
    return value


def _hydra_key(one: DeclaredKey) -> bool:
    return all(re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII) for part in one.path)


def _texts(text: str, several: bool) -> str:
    """Return a text, or in a multirun a list of them, as Hydra takes it."""
    if not several:
        return _text(text)
    parsed = _parsed(text)
    if parsed is not None and parsed.is_sweep_override() and not _simple(parsed):
        return text
    found = _ELEMENT.findall(text)
    if not text.endswith(","):
        # The empty rest behind the last one.
        found.pop()
    if len(found) < 2 or not all(found):
        return _text(text)
    return ",".join(_text(element.replace("\\,", ",")) for element in found)


def _simple(override: Override) -> bool:
    return bool(getattr(override._value, "simple_form", False))


def _text(text: str) -> str:
    """Return a text as Hydra takes it: as it is, where Hydra reads just that, else in quotes."""
    parsed = _parsed(text)
    if parsed is not None and not parsed.is_sweep_override():
        value = parsed.value()
        if value is None or isinstance(value, str):
            return text
        if isinstance(value, int | float) and str(value) == text:
            return text
    return QuotedString(text, Quote.single).with_quotes()


def _value(text: str) -> str | None:
    parsed = _parsed(_text(text))
    assert parsed is not None
    return _plain(parsed)


def _plain(parsed: Override) -> str | None:
    value = parsed.value()
    return None if value is None else str(value)


def _parsed(text: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(f"k={text}")
    except HydraException:
        return None


def changed(values: Mapping[str, Any], changes: Sequence[str], group: str) -> dict[str, Any]:
    """Return the plain values of a group of the experiment with some of its keys changed."""
    # Late: Hydra's grammar is not needed without a change.
    from segrun.config.declared import declared
    from segrun.config.override import setting

    found = dict(values)
    for change in changes:
        key, equals, _ = change.partition("=")
        if not equals or not key.startswith(f"{group}."):
            raise ConfigError(f"{change}: only {group}.KEY=VALUE can be changed here")
        path, value = setting(change)
        place = found
        for depth, name in enumerate(path[1:], 1):
            holders = declared(".".join(path[:depth]))
            if name not in place and not all(holder.is_open for holder in holders):
                known = ", ".join(place)
                raise ConfigError(f"{change}: unknown key {key}. Keys there: {known}")
            if depth < len(path) - 1:
                place[name] = dict(place[name] or {})
                place = place[name]
        place[path[-1]] = value
    return found


def segments_config(experiment: Mapping[str, Any], overrides: Sequence[str]) -> SegmentsConfig:
    """Return how segments are to be described: as an experiment says, with changes."""
    for override in overrides:
        if not override.startswith("segments.") or "=" not in override:
            raise ConfigError(
                f"{override!r} is no setting of the segments: write segments.KEY=VALUE, with KEY "
                f"one of {', '.join(item.name for item in fields(SegmentsConfig))}"
            )
    # Late: Hydra's grammar is not needed without a change.
    from segrun.config.override import settings

    try:
        merged = OmegaConf.merge(
            OmegaConf.structured(SegmentsConfig),
            dict(experiment.get("segments", {})),
            settings(overrides).get("segments", {}),
        )
        found = OmegaConf.to_object(merged)
    except (OmegaConfBaseException, YAMLError) as error:
        told = str(error).partition("\n")[0]
        key = getattr(error, "full_key", None)
        raise ConfigError(f"segments{'.' + key if key else ''}: {told}") from error
    assert isinstance(found, SegmentsConfig)
    return found
