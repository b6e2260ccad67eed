"""The seam to Hydra: compose the jobs and hand each to the session."""

from __future__ import annotations

import inspect
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from segrun import config, interrupt
from segrun.cli.experimentfile import OPTION, UserFolder, as_experiment
from segrun.cli.session import Planning, Session, exit_code, tell
from segrun.config import Experiment
from segrun.config.explain import explain
from segrun.config.override import as_typed
from segrun.config.settings import SETTINGS
from segrun.data.address import refuse_secret
from segrun.errors import ConfigError, SegrunError
from segrun.runner.checks import folder_name
from segrun.sweep.loader import loading


class SegrunSearchPath(SearchPathPlugin):
    """Where Hydra finds YAML: the user's ./conf first, then segrun's, then the plugins'."""

    def manipulate_search_path(self, search_path: Any) -> None:
        """Add the user's folder in front and every plugin's package behind."""
        user = config.user_conf_directory()
        if user is not None:
            _check_primary(user / "segrun.yaml")
            search_path.prepend(provider="user", path=f"{UserFolder.scheme()}://{user}")
        for package in _plugin_packages():
            search_path.append(provider="segrun-plugin", path=f"pkg://{package}")


def _check_primary(primary: Path) -> None:
    """Refuse a user's segrun.yaml that is no whole one, as that of a checkout of segrun is."""
    text = primary.read_text(encoding="utf-8") if primary.is_file() else None
    if text is not None and not all(f"/schema/{part}@" in text for part in ("experiment", "given")):
        raise ConfigError(
            f"{primary} would replace segrun's own, and lacks /schema/experiment@_here_ or "
            "/schema/given@_global_ in its defaults: put your settings into "
            f"{primary.parent / 'experiment' / 'mine.yaml'} and run segrun experiment=mine"
        )


def _plugin_packages() -> Iterator[str]:
    from segrun.algorithms.registry import algorithms

    packages = {plugin.algorithm.conf for plugin in algorithms().values()}
    yield from sorted(packages - {"segrun.conf"})


def launch(arguments: list[str], planning: Planning | None = None) -> int:
    """Compose the configuration that the arguments ask for and run it."""
    return launch_session(arguments, Session(planning=planning))


def launch_session(arguments: list[str], session: Session) -> int:
    """Run what the arguments ask for in a session of the caller's; see `launch`."""
    code = _launch(arguments, session)
    return max(code, session.close())


def launch_file(path: Path, arguments: list[str], planning: Planning | None = None) -> int:
    """Run the experiment that a file holds; see `launch`."""
    if not path.is_file():
        tell(f"{path}: there is no such file (looked in {Path.cwd()})")
        return 2
    try:
        node = OmegaConf.load(path)
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        tell(f"{path} cannot be read: {' '.join(str(error).split())}")
        return 2
    if not isinstance(node, DictConfig):
        tell(f"{path} holds no experiment: write it as conf/experiment/*.yaml are written")
        return 2
    stem = re.sub(r"[^a-zA-Z0-9_]", "_", path.stem)
    name = f"{OPTION}{stem}"
    # Not the parts of a file of the same name in conf/experiment/.
    experiment, parts = as_experiment(f"_{stem}", node)
    _store("experiment", name, experiment, package="_global_")
    for group, part in parts.items():
        _store(group, f"{OPTION}_{stem}", part)
    return launch([f"experiment={name}", *arguments], planning)


def _launch(arguments: list[str], session: Session) -> int:
    try:
        _begin(arguments, session)
    except KeyboardInterrupt:
        tell("interrupted: what was finished stays")
        return 130
    except SegrunError as error:
        tell(str(error))
        return exit_code(error)
    except (HydraException, OmegaConfBaseException, YAMLError, UnicodeDecodeError) as error:
        tell(explain(error))
        return 2
    except OSError as error:
        if error.filename is None:
            raise
        # Hydra makes the run directory before segrun does.
        tell(
            f"cannot write the output directory: {error}. "
            "Choose another with hydra.run.dir=DIR (hydra.sweep.dir=DIR for -m)"
        )
        return 1
    except ValueError as error:
        # Hydra's refusal of options that exclude each other, such as -m with --cfg.
        tell(str(error))
        return 2
    return 0


def _begin(arguments: list[str], session: Session) -> None:
    try:
        _refuse(arguments)
        typed, given = as_typed(arguments)
        prepare(given)
        _hydra(typed, session)
    except Exception:
        # Some libraries make another error of a Ctrl-C.
        interrupt.check()
        raise


def _refuse(arguments: list[str]) -> None:
    """Refuse, before Hydra writes anything, settings of Hydra that would break the directories."""
    for argument in arguments:
        name, _, value = argument.lstrip("+").partition("=")
        if name.startswith("dataset"):
            refuse_secret(value, name)
        if name == "hydra.output_subdir":
            raise ConfigError(f"{argument}: segrun writes .hydra itself; leave the setting out")
        if name == "hydra.job.chdir" and value != "false":
            raise ConfigError(
                f"{argument}: paths are relative to the directory that segrun was started in; "
                "leave the setting out"
            )


def prepare(given: Mapping[str, Any] | None = None) -> None:
    """Register schemas and search path with Hydra, and take the start time."""
    # Hydra then raises instead of printing a traceback of its own and exiting.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Where the disk is full, so is the log; a traceback per line of it would say so.
    logging.raiseExceptions = False
    # The process id keeps two runs of the same second apart; the store's exclusive claim of
    # the directory holds where even that fails (several machines on one file system).
    os.environ["SEGRUN_TIME"] = f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{os.getpid()}"
    # OmegaConf 2.4, which comes with Hydra 1.4, gives a name of 2.3 another meaning.
    later = "replace" in inspect.signature(OmegaConf.register_resolver).parameters
    register: Any = OmegaConf.register_resolver if later else OmegaConf.register_new_resolver
    register("segrun_folder", folder_name, replace=True)
    for group, name, schema in config.schemas():
        _store(group, name, schema)
    _store("schema", "given", dict(given or {}))
    # First the scan, which lets every installed plugin store its settings; ours then win, also
    # over a sweeper of the same name (hydra-optuna-sweeper).
    plugins = Plugins.instance()
    for group, name, settings in SETTINGS:
        _store(group, name, settings)
    plugins.register(SegrunSearchPath)
    plugins.register(UserFolder)


def _store(group: str, name: str, node: Any, package: str | None = None) -> None:
    store: Any = ConfigStore.instance().store
    # Hydra 1.4 wants to be told; 1.3 replaces without a word.
    replace = {"replace": True} if "replace" in inspect.signature(store).parameters else {}
    store(group=group, name=name, node=node, package=package, provider="segrun", **replace)


def _hydra(arguments: list[str], session: Session) -> None:
    def job(composed: DictConfig) -> None:
        context = HydraConfig.get()
        overrides = " ".join(context.overrides.task)
        records = _records(composed)
        session.run_job(composed, Path(context.runtime.output_dir), overrides, records)

    # Sweepers get at the session by way of the task, which is all that Hydra hands them.
    job.session = session  # type: ignore[attr-defined]
    # Not "config": a conf/config.yaml in the current directory is some other program's.
    decorate = hydra.main(
        config_path=str(config.conf_directory()), config_name="segrun", **_version_base()
    )
    # All that Hydra reads; whoever calls `launch` gets the own ones back.
    before, sys.argv = sys.argv, ["segrun", *_options_first(arguments)]
    try:
        with loading():
            decorate(job)()
    finally:
        sys.argv = before


def _options_first(arguments: list[str]) -> list[str]:
    """Return the arguments as Hydra's parser takes them: it stops at options in between."""
    overrides = get_args_parser().parse_intermixed_args(arguments).overrides
    options = list(arguments)
    for override in overrides:
        options.remove(override)
    return [*options, *overrides]


def _version_base() -> dict[str, str]:
    # Without it Hydra 1.3 warns of old defaults, with it 1.4 of an old parameter.
    return {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


def compose_sweep(overrides: list[str]) -> DictConfig:
    """Return the configuration of a sweep whose jobs are known, with its ``hydra`` node."""
    with _composing(overrides) as typed:
        return hydra.compose("segrun", typed, return_hydra_config=True)


def compose_experiment(overrides: list[str]) -> Experiment:
    """Return the experiment that overrides describe."""
    with _composing(overrides) as typed:
        return config.to_experiment(hydra.compose("segrun", typed))


@contextmanager
def _composing(overrides: Sequence[str]) -> Iterator[list[str]]:
    typed, given = as_typed(overrides)
    prepare(given)
    try:
        with (
            loading(),
            hydra.initialize_config_dir(str(config.conf_directory()), **_version_base()),
        ):
            yield typed
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(explain(error)) from error


def _records(composed: DictConfig) -> dict[str, str]:
    """Return what Hydra would write into .hydra, were it to ask whose directory that is."""
    whole = HydraConfig.instance().cfg
    return {
        ".hydra/config.yaml": OmegaConf.to_yaml(composed),
        ".hydra/hydra.yaml": OmegaConf.to_yaml(whole),
        ".hydra/overrides.yaml": OmegaConf.to_yaml(HydraConfig.get().overrides.task),
    }
