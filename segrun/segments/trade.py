"""Columns that count purchases per month or weekday: what they say, they say as shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.segments.columns import Column

#: Columns by what they are, in order.
NAMES = {
    "month": ("January", "February", "March", "April", "May", "June", "July", "August",
              "September", "October", "November", "December"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}  # fmt: skip


@dataclass(frozen=True)
class Trade:
    """The months, or the weekdays, of a table.

    Attributes
    ----------
    unit : {"month", "weekday"}
        What the columns are.
    columns : sequence of Column
        Purchases in each.
    lines_share : ndarray of float64, shape (n_columns, n_segments)
        Share of a segment's purchases that each has.
    overall_lines_share : ndarray of float64, shape (n_columns,)
        Share of all purchases.
    n_months : int or None
        Calendar months from the first to the last line of the input, 48 of four years; None
        where nobody knows. The months of all years are in one column each.
    """

    unit: str
    columns: Sequence[Column]
    lines_share: NDArray[np.float64]
    overall_lines_share: NDArray[np.float64]
    n_months: int | None = None

    @property
    def n_open(self) -> int:
        """Number of months or weekdays in which anybody buys."""
        return sum(bool((column.values > 0).any()) for column in self.columns)

    def active(self) -> NDArray[np.float64]:
        """Return the number of months or weekdays in which each customer buys."""
        found: NDArray[np.float64] = sum(
            ((column.values > 0).astype(np.float64) for column in self.columns),
            start=np.zeros(len(self.columns[0].values)),
        )
        return found


def trades(
    columns: Sequence[Column],
    codes: NDArray[np.int64],
    n_segments: int,
    n_months: int | None = None,
) -> list[Trade]:
    """Return the months and the weekdays, where a table has columns of them.

    Parameters
    ----------
    columns : sequence of Column
        All columns.
    codes : ndarray of int64, shape (n_samples,)
        Position of each row's segment, from 0.
    n_segments : int
        Number of segments.
    n_months : int, optional
        Calendar months that the input is of.
    """
    by_name = {column.name: column for column in columns if _counts(column)}
    found = []
    for unit, names in NAMES.items():
        own = [by_name[name] for name in names if name in by_name]
        # Two at least: a share of one column would always be all.
        if len(own) > 1:
            found.append(_trade(unit, own, codes, n_segments, n_months))
    return found


def _counts(column: Column) -> bool:
    values = column.values
    whole = not np.isnan(values).any() and bool((values == np.floor(values)).all())
    return whole and not column.category and bool((values >= 0).all())


def _trade(
    unit: str,
    columns: Sequence[Column],
    codes: NDArray[np.int64],
    n_segments: int,
    n_months: int | None,
) -> Trade:
    sums = np.array([np.bincount(codes, column.values, n_segments) for column in columns])
    totals = sums.sum(axis=0)
    shares = np.divide(sums, totals, out=np.zeros(sums.shape), where=totals > 0)
    overall = sums.sum(axis=1)
    return Trade(unit, columns, shares, overall / max(overall.sum(), 1.0), n_months)
