"""Exploration: what the features look like, before and after the transform."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.report.html.section import Picture, Section
from segrun.report.html.sections.projection import skew
from segrun.report.html.subject import Subject
from segrun.report.pictures.histograms import Histogram, draw

#: Features that are shown one by one.
_MOST_FEATURES = 48
_N_BINS = 32
#: Size of the bars in the table, in pixels.
_WIDE, _HIGH = 96, 26


def section(subject: Subject) -> Section | None:
    """Return descriptive statistics and histograms of every feature."""
    names = list(subject.features)[:_MOST_FEATURES]
    if not names:
        return None
    after = subject.transformed
    pairs = [
        (name, _histogram(subject.features[name]), _histogram(after.get(name))) for name in names
    ]
    return Section(
        "exploration",
        "Features",
        {
            "rows": [
                {**_statistics(subject.features[name]), "column": name, "before": before,
                 "after": later, "bars": _path(before), "later_bars": _path(later)}
                for name, before, later in pairs
            ],
            "wide": _WIDE, "high": _HIGH,
            "n_rows": len(subject.run.customers),
            "n_left": len(subject.features) - len(names),
            "transformed": bool(after),
            "scaling": subject.run.table("transform.csv")[:_MOST_FEATURES],
        },
        [_picture([(name, before, later) for name, before, later in pairs if before])],
    )  # fmt: skip


def _statistics(values: NDArray[np.float64]) -> dict[str, float]:
    low, first, middle, third, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    return {
        "mean": float(values.mean()), "deviation": float(values.std()), "low": low,
        "q25": first, "median": middle, "q75": third, "high": high,
    }  # fmt: skip


def _histogram(values: NDArray[np.float64] | None) -> Histogram | None:
    if values is None:
        return None
    counts, edges = np.histogram(values, bins=_N_BINS)
    return Histogram(counts.tolist(), float(edges[0]), float(edges[-1]), skew(values))


def _path(bars: Histogram | None) -> str:
    """Return the bars as one path of SVG."""
    if bars is None:
        return ""
    most, width = max(bars.counts), _WIDE / len(bars.counts)
    parts = []
    for place, count in enumerate(bars.counts):
        # At least half a pixel: a few customers must not look like none.
        high = max(count / most * _HIGH, 0.7) if count else 0.0
        if count:
            parts.append(f"M{place * width:g} {_HIGH}v{-high:.1f}h{width:g}v{high:.1f}z")
    return "".join(parts)


def _picture(shown: list[Any]) -> Picture:
    from segrun.report.pictures.canvas import png

    alt = "Histograms of the features before and after the transform"
    return Picture("histograms", png(draw(shown)), alt, shown=False)
