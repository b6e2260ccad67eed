"""The space that an optimiser searches, and its names: no two dimensions share one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

from segrun.algorithms.space.dimension import Dimension
from segrun.errors import ConfigError

#: Largest number of points of a grid.
MAX_POINTS = 1_000_000
_PARAMS = "algo.params."


@dataclass(frozen=True)
class Base:
    """One choice of every searched group, and what is drawn on it."""

    choices: Mapping[str, str]  # option by group
    dimensions: Mapping[str, Dimension]  # by full key, such as `algo.params.n_clusters`


@dataclass(frozen=True)
class Space:
    """All bases.

    A trial draws an option of every group first, then the dimensions of that base. A parameter
    of the optimiser is named like its group or key; a parameter of an algorithm that is searched
    like ``kmeans.n_clusters``. Where a key's dimension depends on other groups, the options of
    as few groups as tell it apart are appended: ``transform.pca[features=rfm]``.
    """

    groups: Mapping[str, tuple[str, ...]]  # options of the groups that are searched, in order
    bases: tuple[Base, ...]  # one per combination of the options

    def base(self, choices: Mapping[str, str]) -> Base:
        """Return the base of some choices."""
        return self.bases[self._positions[self._options(choices)]]

    def names(self, base: Base) -> Mapping[str, str]:
        """Return the optimiser's names of a base's dimensions by full key."""
        return self._names[self._positions[self._options(base.choices)]]

    def placed(self, params: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return choices and values by full key of what is drawn, by the optimiser's names.

        Both are empty where not all is drawn.
        """
        if any(group not in params for group in self.groups):
            return {}, {}
        choices = {group: params[group] for group in self.groups}
        base = self.base(choices)
        names = self.names(base)
        if any(name not in params for name in names.values()):
            return {}, {}
        values = {key: found.exact(params[names[key]]) for key, found in base.dimensions.items()}
        return choices, values

    def signature(self) -> dict[str, Any]:
        """Return a description as JSON can hold it; equal spaces have equal ones."""
        named = {
            name: str(base.dimensions[key])
            for base in self.bases
            for key, name in self.names(base).items()
        }
        return {
            "groups": {group: list(options) for group, options in self.groups.items()},
            "dimensions": dict(sorted(named.items())),
            "bases": {
                shown(base.choices): sorted(self.names(base).values()) for base in self.bases
            },
        }

    @property
    def n_points(self) -> int:
        """Number of points of the grid."""
        return sum(
            math.prod(_count(key, found) for key, found in base.dimensions.items())
            for base in self.bases
        )

    def grid(self) -> Iterator[dict[str, Any]]:
        """Yield every point of all bases, by the optimiser's names, the last changing fastest."""
        if (n_points := self.n_points) > MAX_POINTS:
            raise ConfigError(
                f"the grid has {n_points} points, more than {MAX_POINTS}: search less, or use "
                "hydra.sweeper.sampler=tpe"
            )
        for base in self.bases:
            names = self.names(base)
            keys = list(base.dimensions)
            for values in product(*(base.dimensions[key].values() for key in keys)):
                drawn = zip((names[key] for key in keys), values, strict=True)
                yield {**base.choices, **dict(drawn)}

    def _options(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(choices[group] for group in self.groups)

    @cached_property
    def _positions(self) -> dict[tuple[str, ...], int]:
        return {self._options(base.choices): number for number, base in enumerate(self.bases)}

    @cached_property
    def _names(self) -> list[dict[str, str]]:
        return names_of(tuple(self.groups), self.bases)


def _count(key: str, found: Dimension) -> int:
    if found.n_values is None:
        raise ConfigError(
            f"{key}: {found} is an interval, which a grid cannot go through: use a range or a "
            "choice, or hydra.sweeper.sampler=tpe"
        )
    return found.n_values


def names_of(groups: Sequence[str], bases: Sequence[Base]) -> list[dict[str, str]]:
    """Return the names of each base's dimensions by full key."""
    found = []
    for base in bases:
        stems = {key: _stem(key, base.choices) for key in base.dimensions}
        names = {key: stem + _suffix(key, base, groups, bases) for key, stem in stems.items()}
        _check(groups, names)
        found.append(names)
    return found


def shown(choices: Mapping[str, str]) -> str:
    """Return choices in one word, such as ``algo=kmeans,features=rfm``."""
    return ",".join(f"{group}={option}" for group, option in choices.items())


def _stem(key: str, choices: Mapping[str, str]) -> str:
    if key.startswith(_PARAMS) and "algo" in choices:
        return f"{choices['algo']}.{key.removeprefix(_PARAMS)}"
    return key


def _suffix(key: str, base: Base, groups: Sequence[str], bases: Sequence[Base]) -> str:
    """Return what tells the dimension of a base from those of the same name in others."""
    stem = _stem(key, base.choices)
    others = [
        other for other in bases if key in other.dimensions and _stem(key, other.choices) == stem
    ]
    for size in range(len(groups) + 1):
        for some in combinations(groups, size):
            if _decided(key, others, some):
                options = shown({group: base.choices[group] for group in some})
                return f"[{options}]" if options else ""
    raise AssertionError("two bases have the same choices")


def _decided(key: str, bases: Sequence[Base], groups: Sequence[str]) -> bool:
    """Return whether the options of some groups decide what a key may become."""
    found: dict[tuple[str, ...], str] = {}
    for base in bases:
        options = tuple(base.choices[group] for group in groups)
        text = str(base.dimensions[key])
        if found.setdefault(options, text) != text:
            return False
    return True


def _check(groups: Sequence[str], names: Mapping[str, str]) -> None:
    seen = {group: group for group in groups}
    for key, name in names.items():
        if name in seen:
            raise ConfigError(
                f"{key} and {seen[name]} are both called {name!r}: give the algorithm another "
                "name, or search one of them"
            )
        seen[name] = key
