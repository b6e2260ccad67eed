"""``segrun apply``: new customers through a finished run, and how they differ from its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.segments.clustering import chosen_point
from segrun.using.placing.placement import Placed, Placing
from segrun.using.placing.reading import ApplyOptions, New, read

#: A share of 0 would make the index infinite.
_LEAST_SHARE = 1e-4

#: The usual reading of the index (credit scoring): below the first little, above the second much.
LITTLE, MUCH = 0.1, 0.25


@dataclass(frozen=True)
class SizeShift:
    """One segment, or those who are in none."""

    segment: int | None  #: Its number, None for customers in no segment
    name: str  #: What it is called
    n_before: int  #: Customers of the training and new ones
    n_now: int
    before: float  #: Their shares of all
    now: float
    psi: float  #: What it adds to the population stability index


@dataclass(frozen=True)
class RangeShift:
    """One feature."""

    column: str  #: Its name
    low: float  #: Least and greatest value that was clustered, in its unit
    high: float
    below: float  #: Shares of the new customers beyond them
    above: float
    mean_before: float  #: Mean over those that were clustered, and over the new customers
    mean_now: float

    @property
    def outside(self) -> float:
        """Share of the new customers outside of the range."""
        return self.below + self.above


@dataclass(frozen=True)
class Shift:
    """Sizes and ranges."""

    sizes: Sequence[SizeShift]  #: Every segment in order, those in none last
    ranges: Sequence[RangeShift]  #: Every feature in order

    @property
    def psi(self) -> float:
        """Population stability index: sum of (now - before) * log(now / before) of the shares."""
        return sum(size.psi for size in self.sizes)

    def columns(self) -> Mapping[str, list[Any]]:
        """Return a table: one row for each segment, one for all, one for each feature."""
        sizes = [
            ("segment" if s.segment is not None else "none", s.segment, s.name or None, s.n_before,
             s.n_now, s.before, s.now, s.psi)
            for s in self.sizes
        ]  # fmt: skip
        n_before, n_now = (sum(getattr(s, n) for s in self.sizes) for n in ("n_before", "n_now"))
        sizes.append(("all", None, None, n_before, n_now, 1.0, 1.0, self.psi))
        ranges = [
            ("feature", r.column, r.low, r.high, r.below, r.above, r.mean_before, r.mean_now)
            for r in self.ranges
        ]
        rows = [dict(zip(_SIZES, row, strict=True)) for row in sizes]
        rows += [dict(zip(_RANGES, row, strict=True)) for row in ranges]
        names = dict.fromkeys((*_SIZES, *_RANGES))
        return {name: [row.get(name) for row in rows] for name in names}


_SIZES = ("kind", "segment", "name", "training", "new", "training_share", "new_share", "psi")
_RANGES = (
    "kind", "column", "training_min", "training_max", "below_share", "above_share",
    "training_mean", "new_mean",
)  # fmt: skip


def shift(
    placing: Placing, before: Placed, now: Placed, clustered: Customers, new: Customers
) -> Shift:
    """Compare new customers with those of the training."""
    called = {**_names(before), **_names(now)}
    if placing.segments is not None:
        called |= {s.number: s.name for s in placing.segments.segments}
    numbers: list[int | None] = [*sorted(n for n in called if n >= 0)]
    # Noise and outliers behind the others.
    numbers += [-1] if -1 in called else []
    then, then_all = Counter(before.segment), max(1, len(before.segment))
    today, today_all = Counter(now.segment), max(1, len(now.segment))
    if then[None] or today[None]:
        numbers.append(None)
    sizes = [
        _size(n, called.get(n, "") if n is not None else "", (then[n], then_all),
              (today[n], today_all))
        for n in numbers
    ]  # fmt: skip
    # Items are too many, and a rating is within its scale.
    sparse = isinstance(clustered.columns, SparseColumns)
    names = [] if sparse else placing.names
    return Shift(sizes, [_range(c, clustered.columns[c], new.columns[c]) for c in names])


def _names(placed: Placed) -> dict[int, str]:
    pairs = zip(placed.segment, placed.name, strict=True)
    return {number: name for number, name in pairs if number is not None}


def _size(
    number: int | None, name: str, then: tuple[int, int], today: tuple[int, int]
) -> SizeShift:
    before, now = then[0] / then[1], today[0] / today[1]
    p, q = max(before, _LEAST_SHARE), max(now, _LEAST_SHARE)
    psi = float((q - p) * np.log(q / p))
    return SizeShift(number, name, then[0], today[0], before, now, psi)


def _range(column: str, clustered: Any, new: Any) -> RangeShift:
    low, high = float(np.min(clustered)), float(np.max(clustered))
    below, above = float(np.mean(new < low)), float(np.mean(new > high))
    return RangeShift(column, low, high, below, above, float(clustered.mean()), float(new.mean()))


@dataclass(frozen=True)
class Applied:
    """The segments of new customers."""

    point: str  #: The grid point whose model was used
    new: New  #: The customers, and how they were read
    placed: Placed  #: Where each is
    shift: Shift  #: How they differ from those of the training

    def columns(self) -> Mapping[str, Any]:
        """Return the columns of the result, one value per customer, None where there is none."""
        customers = self.new.customers
        own = self.placed.columns()
        name = customers.id_column
        return {"customer" if name in own else name: customers.written_ids, **own}


def apply(run: FinishedRun, wanted: ApplyOptions) -> Applied:
    """Give new customers the segments of a finished run."""
    point = chosen_point(run, wanted.point)
    placing = Placing.of(run, point, nearest=wanted.nearest)
    new = read(run, wanted)
    placed = placing.place(new.customers)
    before = placing.place(run.all_customers)
    found = shift(placing, before, placed, run.customers, new.customers)
    return Applied(point, new, placed, found)
