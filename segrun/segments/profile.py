"""Profiles: what the customers of each segment are like, against all customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segrun.segments.columns import Column

#: Quantiles of a profile.
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True)
class Profile:
    """One column, segment by segment."""

    column: Column  # one row per customer that is in a segment
    mean: NDArray[np.float64]  # in raw units, of a category its share; NaN where nothing is known
    quantiles: dict[str, NDArray[np.float64]]  # as `numpy.quantile` has them; none of a category
    overall_mean: float  # of all customers that are in a segment
    overall_median: float
    overall_deviation: float  # that of a population

    @cached_property
    def z(self) -> NDArray[np.float64]:
        """Means as deviations from the overall mean; NaN for a constant column."""
        if not self.overall_deviation > 0:
            return np.full(len(self.mean), np.nan)
        return (self.mean - self.overall_mean) / self.overall_deviation

    @cached_property
    def ratio(self) -> NDArray[np.float64]:
        """Means as multiples of the overall mean; NaN where that says nothing."""
        values = self.column.values
        known = np.abs(values[~np.isnan(values)])
        # Where values of both signs cancel out, the mean is no measure of what is usual.
        if not len(known) or not self.overall_mean > 0.5 * known.mean():
            return np.full(len(self.mean), np.nan)
        return np.where(self.mean >= 0, self.mean / self.overall_mean, np.nan)


def profile(column: Column, codes: NDArray[np.int64], n_segments: int) -> Profile:
    """Return the profile of a column; `codes` are the places of the customers' segments."""
    known = ~np.isnan(column.values)
    values, where = column.values[known], codes[known]
    counts = np.bincount(where, minlength=n_segments)
    sums = np.bincount(where, values, n_segments)
    mean = np.divide(sums, counts, out=np.full(n_segments, np.nan), where=counts > 0)
    quantiles = {}
    overall_median = float("nan")
    if not column.category and len(values):
        ordered = _sorted_within(values, where, counts)
        quantiles = {name: _quantile(ordered, counts, q) for name, q in QUANTILES.items()}
        overall_median = float(np.median(values))
    overall = (values.mean(), values.std()) if len(values) else (np.nan, np.nan)
    return Profile(column, mean, quantiles, float(overall[0]), overall_median, float(overall[1]))


def _sorted_within(
    values: NDArray[np.float64], where: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the values group by group, sorted within each."""
    # Sorting numbers is many times faster than sorting by two keys; the groups are few and
    # numbered from 0, so that they are told apart without comparing.
    few = where.astype(np.int16) if len(counts) < np.iinfo(np.int16).max else where
    ordered = values[np.argsort(few, kind="stable")]
    ends = np.cumsum(counts)
    for start, end in zip(ends - counts, ends, strict=True):
        ordered[start:end].sort()
    return ordered


def _quantile(
    ordered: NDArray[np.float64], counts: NDArray[np.int64], q: float
) -> NDArray[np.float64]:
    """Return a quantile of each group of rows that lie side by side, sorted within each."""
    starts = np.cumsum(counts) - counts
    place = q * np.maximum(counts - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(counts - 1, 0))
    last = len(ordered) - 1
    below = ordered[np.minimum(starts + low, last)]
    above = ordered[np.minimum(starts + high, last)]
    found = below + (above - below) * (place - low)
    return np.where(counts > 0, found, np.nan)


def profile_rows(
    profiles: Sequence[Profile], numbers: Sequence[int], names: Sequence[str]
) -> list[dict[str, object]]:
    """Return the rows of ``profile.csv``, segment by segment."""
    return [
        {"segment": number, "name": name, **_cells(found, place)}
        for place, (number, name) in enumerate(zip(numbers, names, strict=True))
        for found in profiles
    ]


def _cells(found: Profile, place: int) -> dict[str, object]:
    quantiles = {
        name: _known(found.quantiles[name][place]) if found.quantiles else None
        for name in ("median", "q05", "q25", "q75", "q95")
    }
    return {
        "column": found.column.name,
        "clustered": found.column.clustered,
        "kind": found.column.kind,
        "mean": _known(found.mean[place]),
        **quantiles,
        "overall_mean": _known(found.overall_mean),
        "overall_median": _known(found.overall_median),
        "overall_deviation": _known(found.overall_deviation),
        "z": _known(found.z[place]),
        "ratio": _known(found.ratio[place]),
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
