"""What the features look like before and after the transform, and the customers on a plane."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segrun.formats import as_float
from segrun.report.html.page import Picture, Section, picture
from segrun.report.html.reported import ReportedRun
from segrun.report.pictures.lines import Line, Panel, draw_lines
from segrun.report.pictures.segments import (
    Axis,
    Histogram,
    draw_histograms,
    draw_matrix,
    draw_plane,
    groups,
)

#: Features that are shown one by one.
_MOST_FEATURES = 48
_N_BINS = 32
#: Size of the bars in the table, in pixels.
_WIDE, _HIGH = 96, 26
_QUANTILES = ("low", "q25", "median", "q75", "high")
_INERTIA = {
    "share_reduced": "reduced matrix",
    "share_reduced_in_full": "the same segments on the full matrix",
    "share_full": "k-means on the full matrix",
}


def features(subject: ReportedRun) -> Section | None:
    """Return descriptive statistics and histograms of every feature."""
    names = list(subject.features)[:_MOST_FEATURES]
    if not names:
        return None
    rows, shown = [], []
    for name in names:
        before = _histogram(subject.feature(name))
        after = _histogram(subject.transformed[name]) if name in subject.transformed else None
        shown.append((name, before, after))
        rows.append({
            **_statistics(subject.feature(name)), "column": name, "before": before, "after": after,
            "bars": _path(before), "later_bars": _path(after) if after else "",
        })  # fmt: skip
    alt = "Histograms of the features before and after the transform"
    return Section(
        "exploration",
        "Features",
        {
            "rows": rows, "wide": _WIDE, "high": _HIGH,
            "n_rows": len(subject.run.customers),
            "n_left": len(subject.features) - len(names),
            "transformed": bool(subject.transformed),
            "scaling": subject.run.table("transform.csv")[:_MOST_FEATURES],
        },
        [picture("histograms", draw_histograms(shown), alt, shown=False)],
    )  # fmt: skip


def _statistics(values: NDArray[np.float64]) -> dict[str, float]:
    quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    return {
        "mean": float(values.mean()),
        "deviation": float(values.std()),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
    }


def _histogram(values: NDArray[np.float64]) -> Histogram:
    counts, _ = np.histogram(values, bins=_N_BINS)
    return Histogram(counts.tolist(), skew(values))


def skew(values: NDArray[np.float64]) -> float | None:
    """Return the skewness, the third standardised moment; None of a constant."""
    deviations = values - values.mean()
    spread = float(np.sqrt((deviations**2).mean()))
    if spread == 0:
        return None
    # Not to the power of 3, which takes ten times as long.
    away = deviations / spread
    return float((away * away * away).mean())


def _path(bars: Histogram) -> str:
    """Return the bars as one path of SVG."""
    most, width = max(bars.counts), _WIDE / len(bars.counts)
    # At least half a pixel: a few customers must not look like none.
    heights = [max(count / most * _HIGH, 0.7) if count else 0.0 for count in bars.counts]
    return "".join(
        f"M{number * width:g} {_HIGH}v{-high:.1f}h{width:g}v{high:.1f}z"
        for number, high in enumerate(heights)
        if high
    )


def scree(subject: ReportedRun) -> Section | None:
    """Return the explained variance where the transform ends in a PCA."""
    found = (step for _, step in subject.steps if hasattr(step, "explained_variance_ratio_"))
    pca = next(found, None)
    if pca is None:
        return None
    shares = np.asarray(pca.explained_variance_ratio_, dtype=np.float64)
    numbers, whole = list(range(1, len(shares) + 1)), np.cumsum(shares)
    panels = [
        Panel("component", name, [Line(numbers, values.tolist())], whole_x=True)
        for name, values in (("share of variance", shares), ("share, added up", whole))
    ]
    alt = f"{len(shares)} components explain {whole[-1]:.1%} of the variance"
    return Section(
        "scree",
        "Principal components",
        {"n_components": len(shares), "whole": float(whole[-1])},
        [picture("scree", draw_lines(panels), alt)],
    )


def reduction(subject: ReportedRun) -> Section | None:
    """Return inertia on the reduced and the full matrix, as a share of that of one segment."""
    rows = subject.run.table("segments/inertia.csv")
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: as_float(row["n_clusters"]) or 0)
    x = [float(row["n_clusters"]) for row in rows]
    lines = []
    for column, name in _INERTIA.items():
        values = [as_float(row[column]) for row in rows]
        if any(value is not None for value in values):
            y = [math.nan if value is None else value for value in values]
            lines.append(Line(x, y, name))
    panel = Panel("n_clusters", "inertia, share of that of one segment", lines, whole_x=True)
    drawn = picture("reduction", draw_lines([panel]), "Inertia over the number of clusters")
    return Section("reduction", "Reduced against full", {"rows": rows}, [drawn])


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
