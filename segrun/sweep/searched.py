"""From the arguments of an optimiser's sweep to its frozen space: one base per choice of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from segrun import config
from segrun.algorithms import identity
from segrun.algorithms.space.dimension import Dimension, dimension
from segrun.algorithms.space.space import Base, Space
from segrun.config.explain import explain
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.runner.checks import check
from segrun.runner.keys import libraries
from segrun.sweep.composer import Composed, Composer, plain
from segrun.sweep.freeze import Freezer

_PARAMS = "algo.params."


@dataclass(frozen=True)
class Frozen:
    """One choice of every searched group, composed before the first trial begins.

    Attributes
    ----------
    choices : mapping of str to str
        Option by group, of the groups that are searched.
    config : mapping
        The configuration as composed, interpolations as they stand.
    hydra : mapping
        What differs from the sweep's own ``hydra`` node, by full key.
    overrides : sequence of str
        What it was composed of.
    dimensions : mapping of str to Dimension
        What the optimiser draws, by full key.
    input_sha256 : str or None
        Digest of the input file.
    versions : mapping of str to str
        Of what the results depend on.
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
    def read(cls, values: Mapping[str, Any]) -> Frozen:
        """Return what `plain` gave."""
        dimensions = {
            key: Dimension(**{**found, "choices": tuple(found["choices"])})
            for key, found in values["dimensions"].items()
        }
        return cls(**{**values, "dimensions": dimensions})


def space_of(bases: Sequence[Frozen]) -> Space:
    """Return the space that frozen bases span."""
    groups: dict[str, dict[str, None]] = {}
    for base in bases:
        for group, option in base.choices.items():
            groups.setdefault(group, {})[option] = None
    return Space(
        {group: tuple(options) for group, options in groups.items()},
        tuple(Base(base.choices, base.dimensions) for base in bases),
    )


class Arguments:
    """What the arguments of a sweep fix, choose and draw.

    Parameters
    ----------
    composer : Composer
        Knows Hydra's grammar and groups.
    arguments : sequence of str
        Overrides.
    """

    def __init__(self, composer: Composer, arguments: Sequence[str]) -> None:
        self.composer = composer
        self.groups: dict[str, list[str]] = {}
        self.drawn: dict[str, Any] = {}
        fixed: dict[str, str] = {}
        # Of what is said twice, the last counts.
        for override in {o.get_key_element(): o for o in composer.parse(arguments)}.values():
            self._take(override, fixed)
        self.fixed = list(fixed.values())
        self.keys = set(fixed)

    def _take(self, override: Override, fixed: dict[str, str]) -> None:
        key = override.get_key_element()
        if not override.is_sweep_override():
            fixed[override.key_or_group] = str(override.input_line)
        elif self.composer.loader.repository.group_exists(override.key_or_group):
            self.groups[key] = [str(value) for value in override.sweep_string_iterator()]
        else:
            self.drawn[key] = _values(override)

    def frozen(self) -> list[Frozen]:
        """Compose one base per combination of the groups' options.

        Raises
        ------
        ConfigError
            If one cannot be composed, or its space is over a key that it lacks.
        """
        freezer = Freezer(self.composer)
        bases = [
            self._frozen(dict(zip(self.groups, options, strict=True)), freezer)
            for options in product(*self.groups.values())
        ]
        for key in self.drawn:
            if not any(key in base.dimensions for base in bases):
                self._refuse(key, bases)
        return bases

    def _frozen(self, choices: dict[str, str], freezer: Freezer) -> Frozen:
        overrides = [*(f"{group}={option}" for group, option in choices.items()), *self.fixed]
        try:
            composed = self.composer.compose(overrides, 0)
            experiment = config.to_experiment(composed.task)
            check(experiment)
        except (HydraException, OmegaConfBaseException, ConfigError) as error:
            raise ConfigError(f"{' '.join(overrides)}: {explain(error)}") from error
        self._refuse_own(composed, overrides)
        return Frozen(
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
        known = {*self.keys, *self.groups, *self.drawn}
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
        drawn = {key: found for key, found in drawn.items() if key not in self.keys}
        drawn |= {key: (key, text) for key, text in self.drawn.items() if _has(task, key)}
        return {key: dimension(where, values) for key, (where, values) in drawn.items()}

    def _refuse(self, key: str, bases: Sequence[Frozen]) -> None:
        """Say that no configuration has a key."""
        holder, _, last = key.rpartition(".")
        known = [
            str(name)
            for base in bases
            if isinstance(node := _node(base.config, holder), dict)
            for name in node
        ]
        options = list(dict.fromkeys(known))
        raise ConfigError(
            f"{key}: a search space over an unknown key.{did_you_mean(last, options)} "
            f"Keys of {holder or 'the configuration'}: {', '.join(options) or 'none'}"
        )


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


def _node(values: Any, key: str) -> Any:
    for part in key.split(".") if key else []:
        values = values.get(part) if isinstance(values, dict) else None
    return values
