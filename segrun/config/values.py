"""Experiments as plain values and YAML, and from what Hydra composed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf

from segrun.config.clustering import AlgoConfig
from segrun.config.dataset import FileConfig
from segrun.config.experiment import Experiment
from segrun.config.registry import KINDS, kind_of
from segrun.config.schema import choice_of, conf_directory, item_type
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean


def plain(settings: Any) -> dict[str, Any]:
    """Return an experiment, or a part, as plain values: what JSON can hold, choices by name."""
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
    """Return the experiment that `plain` gave these values of."""
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


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds, interpolations as they stand.

    Read as the composition reads it: 1e-3 is a number, not the text of YAML 1.1.
    """
    return OmegaConf.to_container(OmegaConf.load(path), resolve=False)


def read_value(text: str) -> Any:
    """Return what a value on the command line is in YAML."""
    try:
        return OmegaConf.to_container(OmegaConf.create(f"value: {text}"))["value"]  # type: ignore[call-overload, index]
    except Exception as error:
        raise ConfigError(f"{text} is no value in YAML: {error}") from error


def algo_of(path: Path) -> AlgoConfig:
    """Return the algorithm of a composed experiment, as a YAML file holds it."""
    whole = OmegaConf.load(path)
    typed = OmegaConf.merge(OmegaConf.structured(AlgoConfig), whole.algo)
    whole.algo = typed
    found = OmegaConf.to_object(whole.algo)
    assert isinstance(found, AlgoConfig)
    return found


def to_yaml(experiment: Experiment) -> str:
    """Return the experiment as YAML, every value resolved."""
    # Not structured(experiment): that takes five times as long.
    return OmegaConf.to_yaml(OmegaConf.create(plain(experiment)))


def any_file(path: str) -> FileConfig:
    """Return the settings of a file that nothing is known of: everything is found by looking."""
    values = read_yaml(conf_directory() / "dataset" / "online_retail.yaml")
    values.pop("defaults")
    found: FileConfig = built(FileConfig, {**values, "path": path})
    return found


def to_experiment(composed: DictConfig) -> Experiment:
    """Return the experiment that a composed configuration describes, all values resolved."""
    refuse_added_keys(composed, "")
    # The schema is in the defaults list, so what is composed is typed already; merging it once
    # more would cost 8 ms a job.
    if OmegaConf.get_type(composed) is not Experiment:
        merged = OmegaConf.merge(OmegaConf.structured(Experiment), composed)
        assert isinstance(merged, DictConfig)
        composed = merged
    experiment = OmegaConf.to_object(composed)
    assert isinstance(experiment, Experiment)
    return experiment


def refuse_added_keys(node: DictConfig, prefix: str, names: Iterable[str] | None = None) -> None:
    """Refuse what ``+key=value`` adds to a typed node, though its schema does not have it."""
    schema = OmegaConf.get_type(node)
    known = [item.name for item in fields(schema)] if is_dataclass(schema) else list(node)
    for name in map(str, node if names is None else names):
        if name not in known:
            raise ConfigError(
                f"unknown key {prefix}{name}.{did_you_mean(name, known)} "
                f"Keys there: {', '.join(known)}"
            )
        elsewhere = OmegaConf.is_missing(node, name) or OmegaConf.is_interpolation(node, name)
        child = None if elsewhere else node[name]
        if isinstance(child, DictConfig):
            refuse_added_keys(child, f"{prefix}{name}.")


def as_argument(key: str, value: object) -> str:
    """Return KEY=VALUE as a shell takes it."""
    text = value if isinstance(value, str) else _element(value)
    return shlex.quote(f"{key}={text}")


def _element(value: object) -> str:
    """Return a value as it stands in a list or a mapping of the command line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_element(k)}: {_element(v)}' for k, v in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_element, value))}]"
    text = str(value)
    bare = re.fullmatch(r"[A-Za-z_]([\w ./-]*\w)?", text, re.ASCII)
    if bare or not isinstance(value, str):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
