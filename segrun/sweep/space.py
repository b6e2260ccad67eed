"""The space that an optimiser searches: dimensions, a base per choice of groups, their names."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import combinations, islice, product
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    FloatRange,
    Glob,
    IntervalSweep,
    QuotedString,
    RangeSweep,
)
from hydra.errors import HydraException

from segrun.errors import ConfigError

#: Largest number of values of a float range, and of points of a grid.
MAX_STEPS = 100_000
MAX_POINTS = 1_000_000

#: Beyond it a database's double no longer holds every integer.
_MAX_INT = 2**53
_PARAMS = "algo.params."
_TAGS = {"log", "int"}
_ALLOWED = (
    "Allowed: range(2, 31), range(0.1, 0.9, 0.2), interval(0.1, 0.9), "
    "tag(log, interval(1e-6, 1e-2)), int(interval(2, 30)), choice(a, b), a YAML list, or one value"
)


@dataclass(frozen=True)
class Dimension:
    """What one key may become.

    Attributes
    ----------
    kind : {"choice", "int", "float"}
        How it is drawn.
    choices : tuple
        Of a choice; a fixed value is a choice of one.
    low, high : int or float, optional
        Bounds of a number, both included.
    step : int or float, optional
        Distance of neighbouring values; None where `high` need not be a whole number of steps
        away from `low`: an interval.
    log : bool
        Whether orders of magnitude are equally likely.
    """

    kind: str
    choices: tuple[Any, ...] = ()
    low: float | int | None = None
    high: float | int | None = None
    step: float | int | None = None
    log: bool = False

    def __str__(self) -> str:
        if self.kind == "choice":
            shown = (json.dumps(value, ensure_ascii=False) for value in self.choices)
            return f"choice({', '.join(shown)})"
        step = f" step {self.step}" if self.step not in (None, 1) or self._is_grid_of_floats else ""
        return f"{self.kind} {self.low}..{self.high}{step}{' log' * self.log}"

    @property
    def _is_grid_of_floats(self) -> bool:
        return self.kind == "float" and self.step is not None

    @property
    def n_values(self) -> int | None:
        """Number of values, None of an interval."""
        if self.kind == "choice":
            return len(self.choices)
        if self.step is None:
            return None
        low, high, step = (_decimal(value) for value in (self.low, self.high, self.step))
        return int((high - low) / step) + 1

    def values(self) -> Sequence[Any]:
        """Return all values, those of a range as Hydra counts them.

        Raises
        ------
        ValueError
            If it is an interval.
        """
        n_values = self.n_values
        if n_values is None:
            raise ValueError(f"{self} has no end of values")
        if self.kind == "choice":
            return self.choices
        if self.kind == "int":
            assert isinstance(self.low, int)
            assert isinstance(self.step, int)
            return range(self.low, self.low + n_values * self.step, self.step)
        return _steps(float(self.low or 0), float(self.step or 0), n_values)

    def exact(self, value: Any) -> Any:
        """Return the value that is meant by `value`, which an optimiser has computed."""
        if not self._is_grid_of_floats:
            return value
        values = self.values()
        index = round((value - float(self.low or 0)) / float(self.step or 1))
        return values[min(max(index, 0), len(values) - 1)]


def _decimal(value: float | None) -> Decimal:
    return Decimal(repr(value))


@lru_cache(maxsize=256)
def _steps(low: float, step: float, n_values: int) -> tuple[float, ...]:
    # Added up as Hydra does it, to the last digit: a job of a grid and a trial share their key.
    value, found = Decimal(low), []
    for _ in range(n_values):
        found.append(float(value))
        value += Decimal(step)
    return tuple(found)


def dimension(key: str, text: Any) -> Dimension:
    """Read what a key may become.

    Parameters
    ----------
    key : str
        Names it in messages, such as ``algo.search.tol (kmeans)``.
    text : object
        A text in Hydra's sweep grammar or what Hydra's parser made of it, a list of values, or
        one value, which is a choice of one. Bounds of intervals are included, also of integers;
        the stop of a range is not.

    Raises
    ------
    ConfigError
        If it is none of these, is empty or contradicts itself.
    """
    found = _parsed(key, text) if isinstance(text, str) else text
    if isinstance(found, ChoiceSweep):
        return _choice(key, [_unquoted(item) for item in found.list], found.tags)
    if isinstance(found, RangeSweep):
        return _range(key, found)
    if isinstance(found, IntervalSweep):
        return _interval(key, found)
    if isinstance(found, Glob):
        raise ConfigError(f"{key}: {text} chooses files, not values. {_ALLOWED}")
    if isinstance(text, Sequence) and not isinstance(text, str):
        return _choice(key, list(text), set())
    return _choice(key, [_unquoted(found)], set())


def _parsed(key: str, text: str) -> Any:
    try:
        found = OverridesParser.create().parse_override(f"key={text}").value()
    except HydraException as error:
        first = " ".join(str(error).split())
        raise ConfigError(f"{key}: {text!r} cannot be read ({first}). {_ALLOWED}") from error
    return found


def _unquoted(item: Any) -> Any:
    return item.text if isinstance(item, QuotedString) else item


def _choice(key: str, values: list[Any], tags: set[str]) -> Dimension:
    if tags:
        raise ConfigError(
            f"{key}: a choice has no tag, but {', '.join(sorted(tags))} is given: leave it out"
        )
    if not values:
        raise ConfigError(f"{key} is an empty choice: give at least one value. {_ALLOWED}")
    for position, value in enumerate(values):
        _check_value(key, value)
        for earlier in values[:position]:
            if earlier == value:
                same = "twice" if type(earlier) is type(value) else f"and {earlier!r}, the same"
                raise ConfigError(f"{key} has {value!r} {same}: give each value once")
    return Dimension("choice", tuple(values))


def _check_value(key: str, value: Any) -> None:
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ConfigError(
            f"{key}: {value!r} is a {type(value).__name__}, which cannot be drawn: a choice is of "
            f"texts, numbers, true, false and null. {_ALLOWED}"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key}: {value} is not a finite number: give one that is")


def _range(key: str, found: RangeSweep) -> Dimension:
    start, stop, step = found.start, found.stop, found.step
    shown = f"range({start}, {stop}, {step})"
    _check_tags(key, found.tags)
    log = "log" in found.tags
    if found.shuffle:
        raise ConfigError(f"{key}: shuffle means nothing, the sampler decides the order: leave it")
    assert start is not None
    assert stop is not None
    _check_finite(key, shown, start, stop, step)
    if step == 0:
        raise ConfigError(f"{key}: {shown} has the step 0: give another")
    if (stop - start) * step <= 0:
        raise ConfigError(
            f"{key}: {shown} is an empty range: the stop, which does not belong to it, must lie "
            "beyond the start"
        )
    if log and step != 1:
        raise ConfigError(f"{key}: {shown} has a step, and log has none: use tag(log, interval())")
    if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
        values = range(start, stop, step)
        low, high = min(values[0], values[-1]), max(values[0], values[-1])
        _check_numbers(key, shown, low, log=log)
        return Dimension("int", low=low, high=high, step=abs(step), log=log)
    if log or "int" in found.tags:
        raise ConfigError(f"{key}: {shown} is not of whole numbers: use an interval with that tag")
    return _float_range(key, shown, float(start), float(stop), float(step))


def _float_range(key: str, shown: str, start: float, stop: float, step: float) -> Dimension:
    if step < 0:
        raise ConfigError(f"{key}: {shown} descends: turn it round, the order means nothing")
    # Counted as Hydra does it, whose rounding now and then lets the stop in.
    n_values = sum(1 for _ in islice(FloatRange(start, stop, step), MAX_STEPS + 1))
    if n_values > MAX_STEPS:
        raise ConfigError(
            f"{key}: {shown} has more than {MAX_STEPS} values: use interval({start}, {stop})"
        )
    # As written, not as stored in binary: 0.1, 0.2, 0.3, not 0.30000000000000004.
    last = Decimal(repr(start)) + (n_values - 1) * Decimal(repr(step))
    if (_decimal(float(last)) - _decimal(start)) % _decimal(step):
        raise ConfigError(
            f"{key}: {shown} needs more digits than a number has: round start and step, or use "
            f"interval({start}, {stop})"
        )
    return Dimension("float", low=start, high=float(last), step=step)


def _interval(key: str, found: IntervalSweep) -> Dimension:
    low, high = found.start, found.end
    assert low is not None
    assert high is not None
    shown = f"interval({low}, {high})"
    _check_tags(key, found.tags)
    _check_finite(key, shown, low, high)
    log = "log" in found.tags
    if low > high:
        raise ConfigError(f"{key}: {shown}: the bounds are reversed: interval({high}, {low})")
    if "int" not in found.tags and not isinstance(low, int):
        _check_positive(key, shown, low, log=log)
        return Dimension("float", low=low, high=high, log=log)
    if low != int(low) or high != int(high):
        raise ConfigError(
            f"{key}: {shown} of integers has bounds that are not whole numbers: give whole ones"
        )
    _check_numbers(key, shown, int(low), log=log)
    return Dimension("int", low=int(low), high=int(high), log=log)


def _check_tags(key: str, tags: set[str]) -> None:
    if unknown := sorted(tags - _TAGS):
        raise ConfigError(f"{key} has an unknown tag {unknown[0]!r}: there are log and int")


def _check_finite(key: str, shown: str, *bounds: float) -> None:
    if any(isinstance(bound, int) and abs(bound) > _MAX_INT for bound in bounds):
        raise ConfigError(f"{key}: {shown} has integers beyond 2**53: give smaller ones")
    if not all(math.isfinite(bound) for bound in bounds) or math.isinf(bounds[1] - bounds[0]):
        raise ConfigError(f"{key}: {shown} is not finite: give bounds that are")


def _check_numbers(key: str, shown: str, low: int, *, log: bool) -> None:
    _check_finite(key, shown, low, low)
    _check_positive(key, shown, low, log=log)


def _check_positive(key: str, shown: str, low: float, *, log: bool) -> None:
    if log and low <= 0:
        raise ConfigError(
            f"{key}: {shown} is tagged log and begins at {low}, which has no logarithm: begin "
            "above 0"
        )


@dataclass(frozen=True)
class Base:
    """One choice of every searched group, and what is drawn on it.

    Attributes
    ----------
    choices : mapping of str to str
        Option by group.
    dimensions : mapping of str to Dimension
        By full key, such as ``algo.params.n_clusters``.
    """

    choices: Mapping[str, str]
    dimensions: Mapping[str, Dimension]


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
                _shown(base.choices): sorted(self.names(base).values()) for base in self.bases
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
        stems = [{key: _stem(key, base.choices) for key in base.dimensions} for base in self.bases]
        found: list[dict[str, str]] = []
        for base, names in zip(self.bases, stems, strict=True):
            suffixes = {key: self._suffix(key, stem, base) for key, stem in names.items()}
            found.append({key: stem + suffixes[key] for key, stem in names.items()})
            self._check_names(found[-1])
        return found

    def _suffix(self, key: str, stem: str, base: Base) -> str:
        """Return what tells the dimension of a base from those of the same name in others."""
        others = [
            other
            for other in self.bases
            if key in other.dimensions and _stem(key, other.choices) == stem
        ]
        for size in range(len(self.groups) + 1):
            for groups in combinations(self.groups, size):
                if _decided(key, others, groups):
                    shown = _shown({group: base.choices[group] for group in groups})
                    return f"[{shown}]" if shown else ""
        raise AssertionError("two bases have the same choices")

    def _check_names(self, names: Mapping[str, str]) -> None:
        seen: dict[str, str] = {group: group for group in self.groups}
        for key, name in names.items():
            if name in seen:
                raise ConfigError(
                    f"{key} and {seen[name]} are both called {name!r}: give the algorithm another "
                    "name, or search one of them"
                )
            seen[name] = key


def _stem(key: str, choices: Mapping[str, str]) -> str:
    if key.startswith(_PARAMS) and "algo" in choices:
        return f"{choices['algo']}.{key.removeprefix(_PARAMS)}"
    return key


def _shown(choices: Mapping[str, str]) -> str:
    return ",".join(f"{group}={option}" for group, option in choices.items())


def _decided(key: str, bases: Sequence[Base], groups: Sequence[str]) -> bool:
    """Return whether the options of some groups decide what a key may become."""
    found: dict[tuple[str, ...], str] = {}
    for base in bases:
        options = tuple(base.choices[group] for group in groups)
        shown = str(base.dimensions[key])
        if found.setdefault(options, shown) != shown:
            return False
    return True


def _count(key: str, found: Dimension) -> int:
    if found.n_values is None:
        raise ConfigError(
            f"{key}: {found} is an interval, which a grid cannot go through: use a range or a "
            "choice, or hydra.sweeper.sampler=tpe"
        )
    return found.n_values
