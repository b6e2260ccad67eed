"""What one key may become, as Hydra's sweep grammar, a list of values or one value say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice
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

#: Largest number of values of a float range.
MAX_STEPS = 100_000

#: Beyond it a database's double no longer holds every integer.
_MAX_INT = 2**53
_TAGS = {"log", "int"}
_ALLOWED = (
    "Allowed: range(2, 31), range(0.1, 0.9, 0.2), interval(0.1, 0.9), "
    "tag(log, interval(1e-6, 1e-2)), int(interval(2, 30)), choice(a, b), a YAML list, or one value"
)


@dataclass(frozen=True)
class Dimension:
    """What one key may become."""

    kind: str  # choice, int or float
    choices: tuple[Any, ...] = ()  # of a choice; a fixed value is a choice of one
    low: float | int | None = None  # bounds of a number, both included
    high: float | int | None = None
    step: float | int | None = None  # between neighbouring values; None of an interval
    log: bool = False  # whether orders of magnitude are equally likely

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
        low, high, step = (decimal(value) for value in (self.low, self.high, self.step))
        return int((high - low) / step) + 1

    def values(self) -> Sequence[Any]:
        """Return all values, those of a range as Hydra counts them."""
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


def decimal(value: float | None) -> Decimal:
    """Return a number as written, not as stored in binary."""
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
    """Read what a key may become; `key` names it in messages.

    `text` is in Hydra's sweep grammar or what Hydra's parser made of it, a list of values, or one
    value, which is a choice of one. Bounds of intervals are included, also of integers; the stop
    of a range is not. ConfigError if it is none of these, is empty or contradicts itself.
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
        _check_positive(key, shown, low, log=log)
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
    if (decimal(float(last)) - decimal(start)) % decimal(step):
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
    _check_finite(key, shown, int(low), int(high))
    _check_positive(key, shown, int(low), log=log)
    return Dimension("int", low=int(low), high=int(high), log=log)


def _check_tags(key: str, tags: set[str]) -> None:
    if unknown := sorted(tags - _TAGS):
        raise ConfigError(f"{key} has an unknown tag {unknown[0]!r}: there are log and int")


def _check_finite(key: str, shown: str, *bounds: float) -> None:
    if any(isinstance(bound, int) and abs(bound) > _MAX_INT for bound in bounds):
        raise ConfigError(f"{key}: {shown} has integers beyond 2**53: give smaller ones")
    if not all(math.isfinite(bound) for bound in bounds) or math.isinf(bounds[1] - bounds[0]):
        raise ConfigError(f"{key}: {shown} is not finite: give bounds that are")


def _check_positive(key: str, shown: str, low: float, *, log: bool) -> None:
    if log and low <= 0:
        raise ConfigError(
            f"{key}: {shown} is tagged log and begins at {low}, which has no logarithm: begin "
            "above 0"
        )
