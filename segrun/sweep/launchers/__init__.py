"""Who runs the jobs: every launcher takes frozen jobs and yields how each ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from segrun.config.settings import SETTINGS
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.sweep.job import Ended, Job
from segrun.sweep.perform import Performer

_SCHEMAS = {name: schema for group, name, schema in SETTINGS if group == "hydra/launcher"}


class Launcher(Protocol):
    """Runs jobs somewhere: how many side by side, and whether all of them on this machine."""

    n_parallel: int
    one_machine: bool

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended, as they end; a job is taken when there is room for it."""


class Basic:
    """Runs one job after the other in this process: no start-up, no isolation."""

    one_machine = True
    n_parallel = 1

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended."""
        return map(perform, jobs)


def make(settings: Mapping[str, Any], sweep: Path) -> Launcher:
    """Return the launcher that ``hydra.launcher`` describes, for a sweep directory."""
    name = _name(settings)
    if name == "basic":
        return Basic()
    values = {key: value for key, value in settings.items() if not key.startswith("_")}
    if name == "submitit":
        values["sweep"] = sweep
    module = import_module(f"segrun.sweep.launchers.{name}")
    launcher: Launcher = getattr(module, name.capitalize())(**values)
    return launcher


def schema_of(settings: Mapping[str, Any]) -> type:
    """Return the class of the settings of a launcher."""
    return _SCHEMAS[_name(settings)]


def _name(settings: Mapping[str, Any]) -> str:
    for name, schema in _SCHEMAS.items():
        if vars(schema())["_target_"] == settings["_target_"]:
            return name
    raise ConfigError(f"{settings['_target_']} is no launcher of segrun's: {', '.join(_SCHEMAS)}")


def defaults(name: str) -> dict[str, Any]:
    """Return the settings that a launcher has by default."""
    if name not in _SCHEMAS:
        raise ConfigError(
            f"there is no hydra/launcher={name}.{did_you_mean(name, _SCHEMAS)} "
            f"Launchers: {', '.join(_SCHEMAS)}"
        )
    return dict(vars(_SCHEMAS[name]()))


def library(module: str, launcher: str, shown: str, extra: str) -> Any:
    """Import the library that a launcher needs, or refuse with the extra that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"hydra/launcher={launcher} needs {shown}, which is not installed: pip install "
            f"'segrun[{extra}]'"
        ) from error


def at_least_one(key: str, value: int) -> int:
    """Return a number of workers or jobs, refused below 1."""
    if value < 1:
        raise ConfigError(f"hydra.launcher.{key} must be at least 1. Got {value} instead")
    return value
