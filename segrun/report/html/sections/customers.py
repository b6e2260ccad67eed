"""The customers on a plane, and in pairs of columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segrun.report.html.page import Picture, Section, picture
from segrun.report.html.reported import ReportedRun
from segrun.report.html.sections.features import skew
from segrun.report.pictures.customers import Axis, draw_matrix, draw_plane, groups

_MOST_ROWS = 5000
_MOST_MATRIX_ROWS = 1500
_MOST_DECOMPOSED = 200_000
#: Rows that the columns of the scatter matrix are chosen by.
_MOST_JUDGED = 100_000
#: Columns of the scatter matrix; with fewer values points stand on each other.
_MOST_COLUMNS = 4
_FEWEST_VALUES = 6

Numbers = NDArray[np.int64]


def projection(subject: ReportedRun) -> Section | None:
    """Return the projection and the scatter matrix, coloured by segment."""
    numbers = subject.numbers
    if numbers is None:
        return None
    pictures = [found for draw in (_plane, _matrix) if (found := draw(subject, numbers))]
    return Section("projection", "Customers as points", {}, pictures) if pictures else None


def _plane(subject: ReportedRun, numbers: Numbers) -> Picture | None:
    from sklearn.decomposition import PCA

    if min(subject.Z.shape) < 2 or not np.ptp(subject.Z, axis=0).any():
        return None
    # A full decomposition of many rows takes several copies of them.
    solver = "full" if len(subject.Z) <= _MOST_DECOMPOSED else "covariance_eigh"
    fitted = PCA(n_components=2, svd_solver=solver).fit(subject.Z)
    rows = subject.sample(_MOST_ROWS, "projection")
    places = fitted.transform(subject.Z[rows])
    first, second = fitted.explained_variance_ratio_
    x = Axis(f"first principal component ({first:.0%} of variance)", places[:, 0])
    y = Axis(f"second principal component ({second:.0%} of variance)", places[:, 1])
    return picture(
        "projection",
        draw_plane(x, y, groups(numbers[rows], subject.shown)),
        "Customers on the plane of the two first principal components, coloured by segment",
        f"The two directions in which the clustered matrix varies most. {subject.sampled(rows)}",
    )


def _matrix(subject: ReportedRun, numbers: Numbers) -> Picture | None:
    judged = subject.sample(_MOST_JUDGED, "columns")
    chosen = _columns(subject, numbers[judged], judged)
    if len(chosen) < 2:
        return None
    rows = subject.sample(_MOST_MATRIX_ROWS, "scatter matrix")
    axes = [_axis(name, subject.feature(name)[rows]) for name in chosen]
    told = subject.sampled(rows)
    if any(axis.scale != "linear" for axis in axes):
        told = f"Skewed columns have a logarithmic axis. {told}"
    if len(chosen) < len(subject.features):
        by = f", judged by {len(judged):,} rows" if len(judged) < len(numbers) else ""
        told = f"The {len(chosen)} columns that segments differ in most{by}. {told}"
    return picture(
        "scatter_matrix",
        draw_matrix(axes, groups(numbers[rows], subject.shown)),
        f"Pairs of {', '.join(chosen)}, coloured by segment",
        told,
    )


def _columns(subject: ReportedRun, numbers: Numbers, rows: Numbers) -> list[str]:
    """Return the columns to show: those whose variance lies between segments, not within."""
    shares = {}
    for name in subject.features:
        values = subject.feature(name)[rows]
        if len(np.unique(values)) >= _FEWEST_VALUES:
            shares[name] = _between(values, numbers)
    best = sorted(shares, key=lambda name: -shares[name])[:_MOST_COLUMNS]
    return [name for name in shares if name in best]


def _between(values: NDArray[np.float64], numbers: Numbers) -> float:
    """Return the share of the variance of ranks that lies between segments (eta squared)."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)
    _, codes, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    means = np.bincount(codes, ranks) / counts
    return float((counts * (means - ranks.mean()) ** 2).sum() / (len(ranks) * ranks.var()))


def _axis(name: str, values: NDArray[np.float64]) -> Axis:
    if values.min() >= 0 and (skew(values) or 0) > 2:
        return Axis(name, values, "log" if values.min() > 0 else "symlog")
    return Axis(name, values)
