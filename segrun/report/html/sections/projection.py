"""The customers on a plane, and in pairs of columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject
from segrun.report.pictures.scatter import Axis, draw_matrix, draw_plane, groups

_MOST_ROWS = 5000
_MOST_MATRIX_ROWS = 1500
_MOST_DECOMPOSED = 200_000
#: Rows that the columns of the scatter matrix are chosen by.
_MOST_JUDGED = 100_000
#: Columns of the scatter matrix; with fewer values points stand on each other.
_MOST_COLUMNS = 4
_FEWEST_VALUES = 6


def section(subject: Subject) -> Section | None:
    """Return the projection and the scatter matrix, coloured by segment."""
    if subject.numbers is None:
        return None
    pictures = [picture for picture in (_plane(subject), _matrix(subject)) if picture]
    return Section("projection", "Customers as points", {}, pictures) if pictures else None


def _plane(subject: Subject) -> Picture | None:
    from sklearn.decomposition import PCA

    from segrun.report.pictures.canvas import png

    assert subject.numbers is not None
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
    drawn = draw_plane(x, y, groups(subject.numbers[rows], subject.looks))
    return Picture(
        "projection",
        png(drawn),
        "Customers on the plane of the two first principal components, coloured by segment",
        f"The two directions in which the clustered matrix varies most. {subject.sampled(rows)}",
    )


def _matrix(subject: Subject) -> Picture | None:
    from segrun.report.pictures.canvas import png

    assert subject.numbers is not None
    judged = subject.sample(_MOST_JUDGED, "columns")
    chosen = _columns(subject, judged)
    if len(chosen) < 2:
        return None
    rows = subject.sample(_MOST_MATRIX_ROWS, "scatter matrix")
    axes = [_axis(name, subject.features[name][rows]) for name in chosen]
    drawn = draw_matrix(axes, groups(subject.numbers[rows], subject.looks))
    fewer = len(chosen) < len(subject.features)
    skewed = any(axis.scale != "linear" for axis in axes)
    scales = "Skewed columns have a logarithmic axis. " if skewed else ""
    by = f", judged by {len(judged):,} rows" if len(judged) < len(subject.numbers) else ""
    what = f"The {len(chosen)} columns that segments differ in most{by}. " if fewer else ""
    return Picture(
        "scatter_matrix",
        png(drawn),
        f"Pairs of {', '.join(chosen)}, coloured by segment",
        f"{what}{scales}{subject.sampled(rows)}",
    )


def _columns(subject: Subject, rows: NDArray[np.int64]) -> list[str]:
    """Return the columns to show: those whose variance lies between segments, not within."""
    assert subject.numbers is not None
    numbers = subject.numbers[rows]
    shares = {
        name: _between(values[rows], numbers)
        for name, values in subject.features.items()
        if len(np.unique(values[rows])) >= _FEWEST_VALUES
    }
    best = sorted(shares, key=lambda name: -shares[name])[:_MOST_COLUMNS]
    return [name for name in shares if name in best]


def _between(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> float:
    """Return the share of the variance of ranks that lies between segments (eta squared)."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)
    _, codes, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    means = np.bincount(codes, ranks) / counts
    return float((counts * (means - ranks.mean()) ** 2).sum() / (len(ranks) * ranks.var()))


def _axis(name: str, values: NDArray[np.float64]) -> Axis:
    if values.min() >= 0 and (skew(values) or 0) > 2:
        return Axis(name, values, "log" if values.min() > 0 else "symlog")
    return Axis(name, values)


def skew(values: NDArray[np.float64]) -> float | None:
    """Return the skewness, the third standardised moment; None of a constant."""
    deviations = values - values.mean()
    spread = float(np.sqrt((deviations**2).mean()))
    if spread == 0:
        return None
    # Not to the power of 3, which takes ten times as long.
    away = deviations / spread
    return float((away * away * away).mean())
