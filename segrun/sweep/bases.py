"""From the arguments of an optimiser's sweep to its frozen space: one base per choice of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Override
from omegaconf import DictConfig, OmegaConf

from segrun import config
from segrun.algorithms import identity
from segrun.algorithms.space.dimension import Dimension, dimension
from segrun.algorithms.space.space import Base, Space
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.runner.keys import libraries
from segrun.sweep.composer import Composed, Composer, plain
from segrun.sweep.freeze import Freezer

_PARAMS = "algo.params."


@dataclass(frozen=True)
class FrozenBase:
    """One choice of every searched group, composed before the first trial begins.

    `choices` has the option by group; `config` interpolations as they stand; `hydra` what differs
    from the sweep's own node, by full key; `dimensions` what the optimiser draws, by full key.
    """

    choices: Mapping[str, str]
    config: Mapping[str, Any]
    hydra: Mapping[str, Any]
    overrides: Sequence[str]
    dimensions: Mapping[str, Dimension]
    input_sha256: str | None
    versions: Mapping[str, str]

    def plain(self) -> dict[str, Any]:
        """Return the base as JSON can hold it."""
        return asdict(self)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> FrozenBase:
        """Return what `plain` gave."""
        dimensions = {
            key: Dimension(**{**found, "choices": tuple(found["choices"])})
            for key, found in values["dimensions"].items()
        }
        return cls(**{**values, "dimensions": dimensions})


def space_of(bases: Sequence[FrozenBase]) -> Space:
    """Return the space that frozen bases span."""
    groups: dict[str, dict[str, None]] = {}
    for base in bases:
        for group, option in base.choices.items():
            groups.setdefault(group, {})[option] = None
    return Space(
        {group: tuple(options) for group, options in groups.items()},
        tuple(Base(base.choices, base.dimensions) for base in bases),
    )


class SearchArguments:
    """What the arguments of a sweep fix, choose and draw."""

    def __init__(self, composer: Composer, arguments: Sequence[str]) -> None:
        self.composer = composer
        self.groups: dict[str, list[str]] = {}
        self.drawn: dict[str, Any] = {}
        self.fixed: dict[str, str] = {}
        # Of what is said twice, the last counts.
        for override in {o.get_key_element(): o for o in composer.parse(arguments)}.values():
            self._take(override)

    def _take(self, override: Override) -> None:
        key = override.get_key_element()
        if not override.is_sweep_override():
            self.fixed[override.key_or_group] = str(override.input_line)
        elif self.composer.loader.repository.group_exists(override.key_or_group):
            self.groups[key] = [str(value) for value in override.sweep_string_iterator()]
        else:
            self.drawn[key] = _values(override)

    def frozen(self) -> list[FrozenBase]:
        """Compose one base per combination of the groups' options."""
        freezer = Freezer(self.composer)
        bases = [
            self._frozen(dict(zip(self.groups, options, strict=True)), freezer)
            for options in product(*self.groups.values())
        ]
        for key in self.drawn:
            if not any(key in base.dimensions for base in bases):
                _refuse(key, bases)
        return bases

    def _frozen(self, choices: dict[str, str], freezer: Freezer) -> FrozenBase:
        chosen = [f"{group}={option}" for group, option in choices.items()]
        overrides = [*chosen, *self.fixed.values()]
        composed, experiment = freezer.composed(overrides, 0, " ".join(overrides))
        self._refuse_own(composed, overrides)
        return FrozenBase(
            choices=choices,
            config=plain(composed.task),
            hydra=composed.hydra,
            overrides=overrides,
            dimensions=self._dimensions(composed.task, experiment.algo),
            input_sha256=freezer.input_sha256(experiment),
            versions=libraries(identity(experiment.algo)),
        )

    def _refuse_own(self, composed: Composed, overrides: Sequence[str]) -> None:
        """Refuse a sweep that one of several experiments brings: the study has one."""
        params = composed.hydra.get("hydra.sweeper", {}).get("params") or {}
        known = {*self.fixed, *self.groups, *self.drawn}
        for key, values in params.items():
            if key not in known:
                raise ConfigError(
                    f"{' '.join(overrides)} brings a sweep of its own, hydra.sweeper.params.{key}: "
                    f"say on the command line what all trials draw from, {key}={values}"
                )

    def _dimensions(self, task: DictConfig, algo: config.AlgoConfig) -> dict[str, Dimension]:
        drawn: dict[str, tuple[str, Any]] = {}
        for name, values in algo.search.items():
            where = f"algo.search.{name} ({algo.name})"
            if name not in algo.params:
                raise ConfigError(
                    f"{where}: algo.params has no {name!r}.{did_you_mean(name, algo.params)} "
                    f"Parameters: {', '.join(algo.params)}"
                )
            if values is not None:
                drawn[_PARAMS + name] = (where, values)
        for name, values in algo.grid.items():
            if algo.params.get(name) is None:
                drawn.setdefault(_PARAMS + name, (f"algo.grid.{name} ({algo.name})", list(values)))
        # What the command line says counts more than a file.
        drawn = {key: found for key, found in drawn.items() if key not in self.fixed}
        drawn |= {key: (key, text) for key, text in self.drawn.items() if _has(task, key)}
        return {key: dimension(where, values) for key, (where, values) in drawn.items()}


def _values(override: Override) -> Any:
    value = override.value()
    # 2,3,5 and choice(2,3,5) are the same; the others stay in Hydra's words.
    if isinstance(value, ChoiceSweep) and value.simple_form:
        return [getattr(item, "text", item) for item in value.list]
    assert override.input_line is not None
    return override.input_line.partition("=")[2]


def _has(task: DictConfig, key: str) -> bool:
    holder, _, last = key.rpartition(".")
    node = OmegaConf.select(task, holder) if holder else task
    # Not `last in node`: a key whose value is null or ??? does not count as in it.
    return isinstance(node, DictConfig) and last in list(node)


def _refuse(key: str, bases: Sequence[FrozenBase]) -> None:
    """Say that no configuration has a key."""
    holder, _, last = key.rpartition(".")
    options = list(dict.fromkeys(name for base in bases for name in _keys(base.config, holder)))
    raise ConfigError(
        f"{key}: a search space over an unknown key.{did_you_mean(last, options)} "
        f"Keys of {holder or 'the configuration'}: {', '.join(options) or 'none'}"
    )


def _keys(values: Any, holder: str) -> list[str]:
    for part in holder.split(".") if holder else []:
        values = values.get(part) if isinstance(values, dict) else None
    return [str(name) for name in values] if isinstance(values, dict) else []
