"""Who runs the jobs: every launcher takes frozen jobs and yields how each ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from segrun.config.settings import SETTINGS
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.sweep.job import Ended, Job
from segrun.sweep.perform import Performer

NAMES = [name for group, name, _ in SETTINGS if group == "hydra/launcher"]


class Launcher(Protocol):
    """Runs jobs somewhere.

    Attributes
    ----------
    n_parallel : int
        Jobs that can run side by side.
    one_machine : bool
        Whether all of them run on this machine.
    """

    n_parallel: int
    one_machine: bool

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended, as they end; a job is taken when there is room for it."""


def make(settings: Mapping[str, Any], sweep: Path) -> Launcher:
    """Return the launcher that the settings describe.

    Parameters
    ----------
    settings : mapping
        ``hydra.launcher``.
    sweep : Path
        The sweep directory.

    Raises
    ------
    ConfigError
        If a value is impossible, or the library that the launcher needs is not installed.
    """
    name = name_of(settings)
    values = {key: value for key, value in settings.items() if not key.startswith("_")}
    if name == "basic":
        from segrun.sweep.launchers.basic import Basic

        return Basic()
    if name == "process":
        from segrun.sweep.launchers.process import process

        return process(**values)
    if name == "joblib":
        from segrun.sweep.launchers.joblib import Joblib

        return Joblib(**values)
    if name == "dask":
        from segrun.sweep.launchers.dask import Dask

        return Dask(**values)
    from segrun.sweep.launchers.submitit import Submitit

    return Submitit(sweep, **values)


def name_of(settings: Mapping[str, Any]) -> str:
    """Return the name of segrun's launcher that the settings are of.

    Raises
    ------
    ConfigError
        If they are of another launcher.
    """
    for group, name, schema in SETTINGS:
        if group == "hydra/launcher" and schema().__dict__["_target_"] == settings["_target_"]:
            return name
    raise ConfigError(f"{settings['_target_']} is no launcher of segrun's: {', '.join(NAMES)}")


def chosen(name: str) -> dict[str, Any]:
    """Return the settings that a launcher has by default.

    Raises
    ------
    ConfigError
        If there is no launcher of that name.
    """
    for group, known, schema in SETTINGS:
        if group == "hydra/launcher" and known == name:
            return dict(vars(schema()))
    raise ConfigError(
        f"there is no hydra/launcher={name}.{did_you_mean(name, NAMES)} "
        f"Launchers: {', '.join(NAMES)}"
    )
