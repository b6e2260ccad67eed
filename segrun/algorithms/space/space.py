"""All bases: what an optimiser searches, point by point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from segrun.algorithms.space.base import Base
from segrun.algorithms.space.dimension import Dimension
from segrun.algorithms.space.names import names_of, shown
from segrun.errors import ConfigError

#: Largest number of points of a grid.
MAX_POINTS = 1_000_000


@dataclass(frozen=True)
class Space:
    """All bases.

    A trial draws an option of every group first, then the dimensions of that base. A parameter
    of the optimiser is named like its group or key; a parameter of an algorithm that is searched
    like ``kmeans.n_clusters``. Where a key's dimension depends on other groups, the options of
    as few groups as tell it apart are appended: ``transform.pca[features=rfm]``.

    Attributes
    ----------
    groups : mapping of str to tuple of str
        Options of the groups that are searched, in order.
    bases : tuple of Base
        One per combination of the options.
    """

    groups: Mapping[str, tuple[str, ...]]
    bases: tuple[Base, ...]

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
        """Number of points of the grid.

        Raises
        ------
        ConfigError
            If a dimension is an interval.
        """
        return sum(
            math.prod(_count(key, found) for key, found in base.dimensions.items())
            for base in self.bases
        )

    def grid(self) -> Iterator[dict[str, Any]]:
        """Yield every point of all bases, by the optimiser's names, the last changing fastest.

        Raises
        ------
        ConfigError
            If a dimension is an interval, or there are more than a million points.
        """
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
