"""Hydra's loader, for sweeps over groups and experiments that are asked for otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import hydra._internal.hydra as machinery
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import GroupDefault, ResultDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from segrun.config.values import refuse_added_keys
from segrun.errors import ConfigError

#: Keys of an experiment that mean nothing under another option of the group.
_TIED = {"algo": ("algo", "segments.point"), "dataset": ("dataset",)}


class Loader(ConfigLoaderImpl):
    """Composes as Hydra does, except for what it cannot know.

    An experiment that is written for one algorithm can be asked for with another one: Hydra would
    lay its parameters over those of the other. And where a sweep is over groups, an override may
    fit the options that the jobs choose, but not those of the defaults.
    """

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self._told: set[str] = set()

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        *more: Any,
        **options: Any,
    ) -> DictConfig:
        """Return the configuration; of a sweep over groups, what its jobs have in common."""
        try:
            whole = super().load_configuration(config_name, overrides, run_mode, *more, **options)
        except HydraException:
            if run_mode is not RunMode.MULTIRUN:
                raise
            whole = self._shared(config_name, overrides, *more, **options)
        parsed = OverridesParser.create().parse_overrides(overrides)
        added = [o.key_or_group for o in parsed if o.is_hydra_override() and _adds(o)]
        refuse_added_keys(whole.hydra, "hydra.", [key.split(".")[1] for key in added if "." in key])
        if run_mode is RunMode.RUN:
            refuse_fixed_axes(parsed, whole)
        return whole

    def _shared(
        self, config_name: str | None, overrides: Sequence[str], *more: Any, **options: Any
    ) -> DictConfig:
        """Compose without the values that do not fit: each job is composed with all of them."""
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        values = [o for o in parsed if not o.is_hydra_override() and not chooses(self, o)]
        others = [str(o.input_line) for o in parsed if o not in values]
        whole = super().load_configuration(config_name, others, RunMode.MULTIRUN, *more, **options)
        for value in values:
            if not value.is_sweep_override():
                with suppress(HydraException):
                    self._apply_overrides_to_config([value], whole)
        whole.hydra.overrides.task = [o.input_line for o in parsed if not o.is_hydra_override()]
        return whole

    def _compose_config_from_defaults_list(
        self, defaults: list[ResultDefault], repo: Any
    ) -> DictConfig:
        for place, written, chosen, keys in _foreign(defaults, repo):
            content = repo.load_config(place).config
            left_out = [key for key in keys if _drop(content, key)]
            if left_out:
                self._tell(
                    f"{place.replace('/', '=')} is written for {written}, and {chosen} is asked "
                    f"for: its settings of {' and '.join(left_out)} are left out"
                )
        return super()._compose_config_from_defaults_list(defaults=defaults, repo=repo)

    def _tell(self, message: str) -> None:
        # A configuration is composed several times on the way to a run.
        if message not in self._told:
            print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
        self._told.add(message)


def chooses(loader: ConfigLoaderImpl, override: Override) -> bool:
    """Tell whether an override chooses an option of a group, as Hydra sees it."""
    if not loader.repository.group_exists(override.key_or_group):
        return False
    return override.is_sweep_override() or not isinstance(override.value(), dict)


def _adds(override: Override) -> bool:
    return override.is_add() or override.is_force_add()


def _foreign(
    defaults: Sequence[ResultDefault], repo: Any
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield files whose settings are of another option than the chosen one: which, and which keys.

    A file, or one that it extends, says ``override /algo: kmeans``.
    """
    chosen = {d.override_key: d.config_path for d in defaults if d.override_key in _TIED}
    for place in dict.fromkeys(str(d.config_path) for d in defaults):
        written = _written_for(place, defaults, repo)
        for group, keys in _TIED.items():
            now = str(chosen.get(group)).removeprefix(f"{group}/")
            then = written.get(group, now)
            if then != now and not (group == "dataset" and _fits(place, defaults, repo)):
                yield place, f"{group}={then}", f"{group}={now}", keys


def _written_for(place: str, defaults: Sequence[ResultDefault], repo: Any) -> dict[str, str]:
    found = {
        str(d.group).removeprefix("/"): str(d.value)
        for d in repo.load_config(place).defaults_list or ()
        if isinstance(d, GroupDefault) and d.override
    }
    for extended in defaults:
        if extended.parent == place and extended.config_path != place:
            found = _written_for(str(extended.config_path), defaults, repo) | found
    return found


def _fits(place: str, defaults: Sequence[ResultDefault], repo: Any) -> bool:
    """Tell whether the chosen dataset has all keys that a file sets of its own."""
    known: set[Any] = set()
    for default in defaults:
        if default.package == "dataset":
            known.update(repo.load_config(default.config_path).config)
    return set(repo.load_config(place).config.get("dataset") or ()) <= known


def _drop(content: DictConfig, key: str) -> bool:
    holder, _, last = key.rpartition(".")
    node = OmegaConf.select(content, holder) if holder else content
    if not isinstance(node, DictConfig) or last not in list(node):
        return False
    del node[last]
    return True


def refuse_fixed_axes(overrides: Iterable[Override], task: DictConfig) -> None:
    """Refuse values for an axis of the grid that has one value in ``algo.params``."""
    for name, text in _axes(overrides).items():
        fixed = task.algo.params.get(name)
        if fixed is not None:
            raise ConfigError(
                f"{text} would be ignored: algo.params.{name}={fixed} fixes {name}. Free it with "
                f"algo.params.{name}=null, or leave the grid out"
            )


def _axes(overrides: Iterable[Override]) -> Mapping[str, str]:
    """Return the axes that the command line gives values to, with its words."""
    found: dict[str, str] = {}
    for override in overrides:
        value = None if override.is_delete() else override.value()
        if override.key_or_group == "algo.grid" and isinstance(value, dict):
            found.update({str(name): str(override.input_line) for name in value})
        elif override.key_or_group.startswith("algo.grid.") and not override.is_delete():
            name = override.key_or_group.removeprefix("algo.grid.")
            found[name] = str(override.input_line)
    return found


@contextmanager
def loading() -> Iterator[None]:
    """Let Hydra use this loader: it offers no other way to bring one's own."""
    module: Any = machinery
    theirs = module.ConfigLoaderImpl
    module.ConfigLoaderImpl = Loader
    try:
        yield
    finally:
        module.ConfigLoaderImpl = theirs
