"""Experiments as plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_type_hints

from segrun.config.experiment import Experiment
from segrun.config.registry import KINDS, kind_of
from segrun.config.schema import choice_of, item_type
from segrun.config.segments import SegmentsConfig
from segrun.errors import ConfigError


def plain(experiment: Experiment | SegmentsConfig) -> dict[str, Any]:
    """Return the experiment, or a part, as plain values: what JSON can hold, choices by name."""
    return dict(_plain(experiment))


def plain_values(settings: Any) -> dict[str, Any]:
    """Return the settings of one group as plain values; see `plain`."""
    return dict(_plain(settings))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def from_plain(values: Mapping[str, Any]) -> Experiment:
    """Return the experiment that `plain` gave these values of.

    Raises
    ------
    ConfigError
        If they are those of another version of segrun.
    """
    try:
        experiment = built(Experiment, values)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the stored experiment does not fit this version of segrun: {error!r}"
        ) from error
    assert isinstance(experiment, Experiment)
    return experiment


def built(schema: type, values: Mapping[str, Any]) -> Any:
    """Return a part of the schema that holds plain values."""
    types = get_type_hints(schema)
    made = {}
    for name, value in values.items():
        kind = types[name]
        if is_dataclass(kind):
            assert isinstance(kind, type)
            made[name] = built(KINDS[name][kind_of(name, value)] if name in KINDS else kind, value)
        elif choice := choice_of(kind):
            made[name] = None if value is None else choice(value)
        elif item := item_type(kind):
            made[name] = {key: _item(item, inner) for key, inner in value.items()}
        else:
            made[name] = value
    return schema(**made)


def _item(kind: type, value: Any) -> Any:
    return built(kind, value) if is_dataclass(kind) else kind(value)
