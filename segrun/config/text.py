"""From YAML to values, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from segrun.config.dataset import FileConfig
from segrun.config.experiment import Experiment
from segrun.config.folders import conf_directory
from segrun.config.grid import AlgoConfig
from segrun.config.plain import built, plain
from segrun.errors import ConfigError


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds, interpolations as they stand.

    Read as the composition reads it: 1e-3 is a number, not the text of YAML 1.1.
    """
    return OmegaConf.to_container(OmegaConf.load(path), resolve=False)


def read_value(text: str) -> Any:
    """Return what a value on the command line is in YAML.

    Raises
    ------
    ConfigError
        If it is no YAML.
    """
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
