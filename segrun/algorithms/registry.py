"""Discovery: every algorithm is an entry point of the group ``segrun.algorithms``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from pathlib import Path

from segrun import config
from segrun.algorithms.base import Algorithm
from segrun.algorithms.foreign import contained
from segrun.config import AlgoConfig
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.rundir.environment import code_digest

log = logging.getLogger("segrun.plugins")

GROUP = "segrun.algorithms"


@dataclass(frozen=True)
class Registered:
    """An installed algorithm and the distribution that brought it."""

    name: str
    algorithm: Algorithm
    distribution: str
    version: str


@dataclass(frozen=True)
class Broken:
    """An entry point that does not give an algorithm, and why."""

    name: str
    distribution: str
    error: str


def algorithms() -> dict[str, Registered]:
    """Return the installed algorithms by name.

    Raises
    ------
    ConfigError
        If two distributions register the same name.
    """
    return _installed()[0]


def broken() -> list[Broken]:
    """Return the plugins that do not load."""
    return _installed()[1]


def find(name: str) -> Algorithm:
    """Return the algorithm that ``algo.name`` says.

    Raises
    ------
    ConfigError
        If none of that name is installed, or its plugin is broken.
    """
    return choose(name, *_installed())


def origin(config: AlgoConfig) -> str:
    """Return name and version of the distribution that brought an algorithm."""
    if config.estimator is not None:
        return f"scikit-learn's {config.estimator}"
    plugin = algorithms().get(config.name)
    return f"{plugin.distribution} {plugin.version}" if plugin is not None else "nobody"


def brought(name: str, estimator: str | None) -> str:
    """Return an algorithm with the distribution that brought it, for messages."""
    if estimator is not None:
        return f"algo={name} (scikit-learn's {estimator})"
    plugin = algorithms().get(name)
    if plugin is None or plugin.distribution == "segrun":
        return f"algo={name}"
    return f"the plugin {plugin.distribution} {plugin.version} (segrun plugins check {name})"


def identity(config: AlgoConfig) -> str:
    """Return what tells an algorithm from an earlier state of it: its origin and its code.

    A plugin's version stays while its code changes, so a digest of its Python files goes with it;
    segrun's own is in every key already.
    """
    plugin = algorithms().get(config.name) if config.estimator is None else None
    if plugin is None or plugin.distribution == "segrun":
        return origin(config)
    top = sys.modules.get(plugin.algorithm.make.__module__.partition(".")[0])
    file = Path(getattr(top, "__file__", None) or "")
    if not file.is_file():
        return origin(config)
    package = file.parent if file.name == "__init__.py" else file
    return f"{origin(config)}, code {code_digest(package)}"


def choose(name: str, found: dict[str, Registered], faulty: Iterable[Broken]) -> Algorithm:
    """Return the algorithm called `name` among those found; see `find`."""
    if name in found:
        return found[name].algorithm
    for plugin in faulty:
        if plugin.name == name:
            raise ConfigError(
                f"algo.name={name}: its plugin in {plugin.distribution} does not load "
                f"({plugin.error}). Mend or reinstall {plugin.distribution}"
            )
    raise ConfigError(
        f"algo.name={name} is not installed.{did_you_mean(name, found)} Installed: "
        f"{', '.join(sorted(found))}. For a scikit-learn clusterer without a plugin, give "
        "algo.estimator its import path"
    )


@cache
def _installed() -> tuple[dict[str, Registered], list[Broken]]:
    return load(entry_points(group=GROUP))


def load(entries: Iterable[EntryPoint]) -> tuple[dict[str, Registered], list[Broken]]:
    """Load entry points; one that does not load is a warning, not the end.

    Returns
    -------
    found : dict of str to Registered
        Sorted by name.
    faulty : list of Broken
        The others.

    Raises
    ------
    ConfigError
        If two entry points have the same name.
    """
    ordered = sorted(entries, key=lambda entry: (entry.name, _described(entry)))
    for first, second in pairwise(ordered):
        if first.name == second.name:
            raise ConfigError(
                f"two plugins register the algorithm {first.name!r}: {_described(first)} and "
                f"{_described(second)}. Uninstall one of them"
            )
    found: dict[str, Registered] = {}
    faulty: list[Broken] = []
    for entry in ordered:
        distribution, version = _origin(entry)
        try:
            found[entry.name] = Registered(entry.name, _algorithm(entry), distribution, version)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code raises anything
            text = f"{type(error).__name__}: {error}"
            log.warning(
                "the algorithm %r of %s %s does not load and is left out: %s",
                entry.name, distribution, version, text,
            )  # fmt: skip
            faulty.append(Broken(entry.name, distribution, text))
    return found, faulty


def _algorithm(entry: EntryPoint) -> Algorithm:
    with contained():
        loaded = entry.load()
    if not isinstance(loaded, Algorithm):
        raise TypeError(
            f"{entry.value} is a {type(loaded).__name__}, not a segrun.algorithms.base.Algorithm"
        )
    if loaded.name != entry.name:
        raise ValueError(f"{entry.value} calls itself {loaded.name!r}, not {entry.name!r}")
    # Heavy libraries are imported there.
    return replace(loaded, make=contained()(loaded.make))


def _described(entry: EntryPoint) -> str:
    distribution, version = _origin(entry)
    return f"{distribution} {version} ({entry.value})"


def _origin(entry: EntryPoint) -> tuple[str, str]:
    if entry.dist is None:
        return "an unknown distribution", ""
    return entry.dist.name, entry.dist.version


def yaml_only() -> list[str]:
    """Return the algorithms that are a YAML file alone, the user's and segrun's."""
    names = {file.stem for folder in yaml_folders() for file in (folder / "algo").glob("*.yaml")}
    return sorted(names - set(algorithms()))


def yaml_folders() -> list[Path]:
    """Return the folders of YAML that come before those of plugins: the user's, then segrun's."""
    user = config.user_conf_directory()
    return [*([user] if user else []), config.conf_directory()]
