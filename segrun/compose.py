"""The seam to Hydra: compose, run the jobs, and tell in plain words what was wrong."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from segrun import config
from segrun.errors import ConfigError, SegrunError, StoreError
from segrun.explain import explain

log = logging.getLogger("segrun")


@dataclass
class Session:
    """What the jobs of one command came to.

    Attributes
    ----------
    jobs : list of Path
        Run directories in order.
    codes : list of int
        Exit code of each job.
    sweep : Path or None
        The sweep directory under ``-m``.
    """

    jobs: list[Path] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    sweep: Path | None = None


class SegrunSearchPath(SearchPathPlugin):
    """Where Hydra finds YAML: the user's ./conf first, then segrun's, then the plugins'."""

    def manipulate_search_path(self, search_path: Any) -> None:
        """Add the user's folder in front and every plugin's package behind."""
        user = Path.cwd() / "conf"
        if user.is_dir() and not user.samefile(conf_directory()):
            search_path.prepend(provider="user", path=f"file://{user}")
        for package in _plugin_packages():
            search_path.append(provider="segrun-plugin", path=f"pkg://{package}")


def _plugin_packages() -> Iterator[str]:
    from segrun.algorithms.registry import algorithms

    packages = {plugin.algorithm.conf for plugin in algorithms().values()}
    yield from sorted(packages - {"segrun.conf"})


def conf_directory() -> Path:
    """Return the folder of the packaged YAML: segrun/conf in a wheel, conf/ in a checkout."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def launch(arguments: list[str]) -> int:
    """Compose the configuration that the arguments ask for and run it.

    Parameters
    ----------
    arguments : list of str
        Overrides and options of Hydra.

    Returns
    -------
    int
        The exit code: 0 all done, 1 a job or point failed, 2 the configuration is wrong,
        130 interrupted.
    """
    session = Session()
    try:
        _refuse_used_directory(arguments)
        prepare()
        _hydra(arguments, session)
    except KeyboardInterrupt:
        _close(session)
        return _tell("interrupted: what was finished stays in the run directory", 130)
    except SegrunError as error:
        return _tell(str(error), _code(error))
    except (HydraException, OmegaConfBaseException) as error:
        return _tell(explain(error), 2)
    except OSError as error:
        # Hydra makes the run directory before segrun does.
        return _tell(
            f"cannot write the output directory: {error}. "
            "Choose another with hydra.run.dir=DIR (hydra.sweep.dir=DIR for -m)",
            1,
        )
    except ValueError as error:
        # Hydra's refusal of options that exclude each other, such as -m with --cfg.
        return _tell(str(error), 2)
    _close(session)
    return max(session.codes, default=0)


def prepare() -> None:
    """Register schemas and search path with Hydra, and take the start time."""
    # Hydra then raises instead of printing a traceback of its own and exiting.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # The process id keeps two runs of the same second apart; the store's exclusive claim of
    # the directory holds where even that fails (several machines on one file system).
    os.environ["SEGRUN_TIME"] = f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{os.getpid()}"
    for group, name, schema in config.SCHEMAS:
        ConfigStore.instance().store(group=group, name=name, node=schema, provider="segrun")
    Plugins.instance().register(SegrunSearchPath)


def _hydra(arguments: list[str], session: Session) -> None:
    def job(composed: DictConfig) -> None:
        _job(composed, session)

    sys.argv = ["segrun", *arguments]
    decorate = hydra.main(
        version_base="1.3", config_path=str(conf_directory()), config_name="config"
    )
    decorate(job)()


def _job(composed: DictConfig, session: Session) -> None:
    """Run one job; its failure is told and recorded, and does not stop the others."""
    context = HydraConfig.get()
    directory = Path(context.runtime.output_dir)
    if context.mode is RunMode.MULTIRUN:
        session.sweep = Path(context.sweep.dir)
    session.jobs.append(directory)
    try:
        code = _run(composed, directory)
    except KeyboardInterrupt:
        raise
    except Exception as error:  # one job's failure must not stop the others
        code = _code(error)
        log.error("%s failed: %s", directory.name, _message(error, directory))
        log.debug("traceback", exc_info=True)
    session.codes.append(code)


def _run(composed: DictConfig, directory: Path) -> int:
    from segrun.run import run
    from segrun.store import record_failure

    try:
        experiment = config.to_experiment(composed)
    except (OmegaConfBaseException, ConfigError) as error:
        message = str(error) if isinstance(error, ConfigError) else explain(error)
        record_failure(directory, message)
        raise ConfigError(message) from error
    result = run(experiment, directory)
    return 0 if result.status == "done" else 1


def _message(error: Exception, directory: Path) -> str:
    if isinstance(error, SegrunError):
        return str(error)
    return (
        f"{type(error).__name__}: {error} (not foreseen by segrun; "
        f"the traceback is in {directory / 'segrun.log'})"
    )


def _code(error: Exception) -> int:
    return 2 if isinstance(error, ConfigError) else 1


def _aggregate(session: Session) -> None:
    from segrun.report.sweep import write_aggregate

    if session.sweep is not None:
        try:
            write_aggregate(session.sweep)
        except StoreError as error:
            log.error("%s", error)
            session.codes.append(1)


def _close(session: Session) -> None:
    """Write the aggregate and print the table of results to stdout."""
    if not session.jobs:
        return
    from segrun.report.summary import summary

    _aggregate(session)
    where = (session.sweep or session.jobs[0]).absolute()
    here = Path.cwd()
    print(summary(session.jobs))  # noqa: T201
    print(f"\n{where.relative_to(here) if where.is_relative_to(here) else where}")  # noqa: T201


def _refuse_used_directory(arguments: list[str]) -> None:
    """Refuse a directory that holds a run, before Hydra writes its .hydra folder into it."""
    from segrun.store import holds_run

    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in ("hydra.run.dir", "hydra.sweep.dir") and holds_run(Path(value)):
            raise StoreError(f"{name}={value} holds a run already: choose another directory")


def _tell(message: str, code: int) -> int:
    print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
    return code
