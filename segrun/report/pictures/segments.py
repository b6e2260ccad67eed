"""Pictures of segments: sizes, silhouettes of single rows, profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segrun.report.pictures.canvas import figure, plain, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from segrun.segments.segment import Segment

#: From clearly below to clearly above the mean; black letters can be read on all of them.
DIVERGING = ("#6BAED6", "#FFFFFF", "#F4A259")
#: Standard deviations at which the colour is full.
FULL = 2.0
#: A segment with a smaller share of the rows has no name beside its silhouettes.
_SMALLEST_NAMED = 0.025


def draw_sizes(segments: Sequence[Segment], unit: str) -> Figure:
    """Draw one bar per segment, the first on top; `unit` names what is counted."""
    drawn = figure(7.5, 0.7 + 0.27 * len(segments))
    axes = drawn.subplots()
    rows = range(len(segments))
    bars = axes.barh(rows, [s.size for s in segments], color=[s.colour for s in segments],
                     height=0.72)  # fmt: skip
    sizes = [f"{s.size:,} ({s.share:.1%})" for s in segments]
    axes.bar_label(bars, sizes, padding=4, fontsize=8, color="#222222")
    axes.set_yticks(rows, [text(s.name, 34) for s in segments])
    axes.invert_yaxis()
    plain(axes, xlabel=unit)
    axes.margins(x=0.18, y=0.02)
    _without_left_axis(axes)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return drawn


def draw_silhouettes(
    found: Sequence[tuple[Segment, NDArray[np.float64]]], mean: float | None
) -> Figure:
    """Draw silhouettes of single rows, sorted within each segment, and the mean as a line."""
    drawn = figure(7.5, 3.9)
    axes = drawn.subplots()
    total = sum(len(values) for _, values in found)
    gap = max(1, total // 150)
    top, ticks = 0, {}
    for segment, values in found:
        axes.stairs(
            np.sort(values)[::-1], np.arange(top, top + len(values) + 1) - 0.5,
            orientation="horizontal", fill=True, color=segment.colour, linewidth=0,
        )  # fmt: skip
        if len(values) >= _SMALLEST_NAMED * total:
            ticks[top + len(values) / 2] = text(segment.name)
        top += len(values) + gap
    axes.set_ylim(top, -gap)
    axes.set_yticks(list(ticks), list(ticks.values()))
    plain(axes, xlabel="silhouette")
    axes.axvline(0, color="#999999", linewidth=0.8)
    if mean is not None:
        axes.axvline(mean, color="#222222", linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"mean {mean:.3f}", (mean, 1.0), xycoords=("data", "axes fraction"), va="bottom",
            ha="center", fontsize=8, color="#222222",
        )  # fmt: skip
    _without_left_axis(axes)
    return drawn


def _without_left_axis(axes: Axes) -> None:
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def draw_profiles(columns: Sequence[str], names: Sequence[str], z: NDArray[np.float64]) -> Figure:
    """Draw one row per column and one coloured cell per segment.

    `z`, of shape (n_columns, n_segments), has means in standard deviations from the mean of all
    customers; NaN stays white.
    """
    from matplotlib.colors import LinearSegmentedColormap

    drawn = figure(2.6 + max(0.55 * len(names), 2.5), 1.5 + 0.24 * len(columns))
    axes = drawn.subplots()
    colours = LinearSegmentedColormap.from_list("profile", list(DIVERGING))
    axes.imshow(z, cmap=colours, vmin=-FULL, vmax=FULL, aspect="auto")
    axes.set_xticks(range(len(names)), [text(name, 22) for name in names], rotation=40,
                    ha="left", rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(columns)), [text(column, 30) for column in columns])
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0,
                     labelsize=8)  # fmt: skip
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(z):
        if np.isfinite(value):
            axes.text(column, row, f"{value:+.1f}", ha="center", va="center", fontsize=7)
    return drawn
