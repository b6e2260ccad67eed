"""What one key may become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any


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
        low, high, step = (decimal(value) for value in (self.low, self.high, self.step))
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
