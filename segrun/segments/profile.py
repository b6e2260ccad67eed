"""The columns that segments are described by: profiles of segments, and how far these lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import FeaturesConfig
from segrun.errors import DataError
from segrun.features import feature_set_of
from segrun.nearest import did_you_mean

#: Values of a text column that are told apart, the most frequent first.
MAX_CATEGORIES = 20


@dataclass(frozen=True)
class Column:
    """One column, or one value of a text column: ``Country=France``."""

    name: str
    stored: NDArray[Any]  # in raw units, NaN where unknown; of a category 1 or 0
    clustered: bool  # whether the algorithm saw it
    category: bool = False
    title: str = ""  # what people are told instead of the name, if not empty

    @property
    def called(self) -> str:
        """What sentences call the column."""
        return self.title or self.name

    @property
    def values(self) -> NDArray[np.float64]:
        """What is stored, as float64; whole numbers are converted each time, not kept twice."""
        return np.asarray(self.stored, dtype=np.float64)

    @property
    def kind(self) -> str:
        """What tables call it: numeric or share."""
        return "share" if self.category else "numeric"

    def take(self, rows: NDArray[Any]) -> Column:
        """Return the chosen rows."""
        return replace(self, stored=self.stored[rows])


def titles(features: FeaturesConfig) -> dict[str, str]:
    """Return what to call features whose names say something else than what they are."""
    return feature_set_of(features).titles(features)


def column_named(name: str, columns: Sequence[Column], key: str) -> Column:
    """Return a column by its name, in any case of letters where that is clear.

    DataError, naming the key that asks for it, if there is none.
    """
    exact = [column for column in columns if column.name == name]
    alike = [column for column in columns if column.name.lower() == name.lower()]
    if exact or len(alike) == 1:
        return (exact or alike)[0]
    names = [column.name for column in columns]
    raise DataError(
        f"{key}: there is no column {name!r}.{did_you_mean(name, names)} Columns: "
        f"{', '.join(names)}"
    )


def columns_of(
    clustered: Mapping[str, NDArray[Any]], others: Mapping[str, NDArray[Any]]
) -> list[Column]:
    """Return all columns, those that were clustered first.

    They hold numbers, or texts with None where unknown: these become a column for each of their
    most frequent values.
    """
    found = [c for name, values in clustered.items() for c in _columns(name, values, True)]
    known = {column.name for column in found}
    further = [
        c
        for name, values in others.items()
        if name not in clustered
        for c in _columns(name, values, False)
    ]
    return found + [column for column in further if column.name not in known]


def _columns(name: str, values: NDArray[Any], clustered: bool) -> Iterator[Column]:
    if values.dtype.kind in "biuf":
        # A category that features=table has encoded.
        category = "=" in name and bool(np.isin(values, (0, 1)).all())
        yield Column(name, values, clustered, category)
        return
    if values.dtype.kind in "mM":
        return
    texts = ["" if value is None else str(value) for value in values]
    # By a dictionary: sorting millions of texts takes ten times as long.
    found = sorted(set(texts))
    code_of = {text: code for code, text in enumerate(found)}
    where = np.fromiter((code_of[text] for text in texts), np.int64, len(texts))
    counts = np.bincount(where, minlength=len(found))
    by_count = np.argsort(-counts, kind="stable")
    told = [code for code in by_count if found[code] and counts[code] > 1]
    for code in told[:MAX_CATEGORIES]:
        share = (where == code).astype(np.float32)
        if "" in code_of:
            share[where == code_of[""]] = np.nan
        yield Column(f"{name}={found[code]}", share, clustered, category=True)


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


#: Below it an effect is negligible: Romano et al. (2006), Appropriate statistics for ordinal level
#: data, Annual meeting of the Florida Association of Institutional Research.
NEGLIGIBLE = 0.147
#: From it on an effect is large, by the same.
LARGE = 0.474


@dataclass(frozen=True)
class Fact:
    """One thing that sets a segment apart."""

    column: str  # months or weekdays where it is about all of them
    clustered: bool  # whether the algorithm saw the column
    effect: float  # Cliff's delta against all other customers, -1 to 1; of shares their difference
    text: str  # the sentence
    word: str = ""  # what a segment may be called for it; empty where it is no name
    most: str = ""  # what it may be called that has the most of it; empty where another has as much


def cliffs_delta(
    values: NDArray[np.float64], codes: NDArray[np.int64], n_segments: int
) -> NDArray[np.float64]:
    """Return Cliff's delta of each segment against all other customers.

    The probability that a customer of the segment has more than one of the others, less the
    probability that it has less: -1 to 1, 0 where they are alike. Of values 0 and 1 it is the
    difference of the shares. Cliff (1993), Dominance statistics: ordinal analyses to answer
    ordinal questions, Psychological Bulletin 114(3), 494-509.
    """
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    where = codes[known]
    ranks = np.bincount(where, rankdata(values[known]), n_segments)
    own = np.bincount(where, minlength=n_segments).astype(np.float64)
    others = own.sum() - own
    pairs = own * others
    # Mann and Whitney's U from the sum of ranks.
    larger = ranks - own * (own + 1) / 2
    delta: NDArray[np.float64] = np.divide(
        2 * larger - pairs, pairs, out=np.full(n_segments, np.nan), where=pairs > 0
    )
    return delta


def chance(n_own: NDArray[np.int64], n_all: int) -> NDArray[np.float64]:
    """Return the standard deviation that Cliff's delta has where segments mean nothing.

    That of Mann and Whitney's U without ties, scaled; it is larger for small segments.
    """
    others = n_all - n_own
    pairs = 3.0 * n_own * others
    variance = np.divide(n_all + 1, pairs, out=np.full(len(n_own), np.inf), where=pairs > 0)
    return np.asarray(np.sqrt(variance))
