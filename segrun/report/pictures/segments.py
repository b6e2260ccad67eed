"""Pictures of segments: sizes, silhouettes, profiles, their customers as points, and features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segrun.report.pictures.canvas import MARKERS, figure, plain, text
from segrun.segments.segment import COLOURS, NOISE_COLOUR

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


#: Features side by side.
_MOST_IN_A_ROW = 4


@dataclass(frozen=True)
class Group:
    """Rows that look alike: a segment, or those of none."""

    name: str
    colour: str
    marker: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """What one axis shows; `scale` is one of matplotlib's."""

    name: str
    values: NDArray[np.float64]
    scale: str = "linear"


def groups(numbers: NDArray[np.int64], segments: Sequence[Segment]) -> list[Group]:
    """Return the rows of each segment; rows of none come first, so that they are behind."""
    rest = np.flatnonzero(~np.isin(numbers, [s.number for s in segments]))
    others = "others" if (numbers[rest] >= 0).any() else "none"
    found = [Group(others, NOISE_COLOUR, "o", rest)]
    for s in segments:
        marker = MARKERS[max(s.number, 0) // len(COLOURS) % len(MARKERS)]
        found.append(Group(s.name, s.colour, marker, np.flatnonzero(numbers == s.number)))
    return [group for group in found if len(group.rows)]


def draw_plane(x: Axis, y: Axis, shown: Sequence[Group]) -> Figure:
    """Draw two axes with a legend beside them."""
    drawn = figure(8.5, max(5.2, 0.5 + 0.19 * len(shown)))
    axes = drawn.subplots()
    _points(axes, x, y, shown, 9.0)
    plain(axes, xlabel=text(x.name, 60), ylabel=text(y.name, 60))
    _legend(drawn, axes, "outside right upper")
    return drawn


def draw_matrix(columns: Sequence[Axis], shown: Sequence[Group]) -> Figure:
    """Draw every pair of columns; histograms on the diagonal."""
    from matplotlib.figure import Figure

    n = len(columns)
    wide, high = 2.0 * n + 3.1, max(1.9 * n + 0.6, 0.2 * len(shown) + 0.2)
    # By hand: matplotlib's own layout takes a second for so many axes.
    drawn = Figure(figsize=(wide, high))
    panels = drawn.subplots(n, n, squeeze=False)
    drawn.subplots_adjust(left=0.7 / wide, right=1 - 2.4 / wide, bottom=0.5 / high,
                          top=1 - 0.1 / high, wspace=0.08, hspace=0.08)  # fmt: skip
    for i, y in enumerate(columns):
        for j, x in enumerate(columns):
            axes = panels[i][j]
            if i == j:
                _histogram(axes, x)
            else:
                _points(axes, x, y, shown, 3.0)
            left, bottom = j == 0, i == n - 1
            plain(axes, xlabel=text(x.name, 20) if bottom else "",
                  ylabel=text(y.name, 20) if left else "")  # fmt: skip
            axes.tick_params(labelsize=7, labelleft=left and i != j, labelbottom=bottom)
    # The counts of a histogram are on another scale than the row of panels that it stands in.
    panels[0][0].set_yticks([])
    if n > 1:
        _legend(drawn, panels[0][1], "upper right")
    return drawn


def _points(axes: Axes, x: Axis, y: Axis, shown: Sequence[Group], size: float) -> None:
    for group in shown:
        axes.scatter(
            x.values[group.rows], y.values[group.rows], s=size, color=group.colour,
            marker=group.marker, alpha=0.65, linewidths=0, label=text(group.name),
        )  # fmt: skip
    _scale(axes, "x", x)
    _scale(axes, "y", y)


def _scale(axes: Axes, which: str, shown: Axis) -> None:
    settings: dict[str, Any] = {"linthresh": 1.0} if shown.scale == "symlog" else {}
    (axes.set_xscale if which == "x" else axes.set_yscale)(shown.scale, **settings)
    (axes.set_xlim if which == "x" else axes.set_ylim)(*_limits(shown))


def _limits(shown: Axis) -> tuple[float, float]:
    low, high = float(shown.values.min()), float(shown.values.max())
    if shown.scale == "log":
        return low / 1.4, high * 1.4
    if shown.scale == "symlog":
        return -0.3, high * 1.5
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def _histogram(axes: Axes, column: Axis) -> None:
    values = column.values
    bins: Any = 24
    if column.scale == "log":
        bins = np.geomspace(values.min(), values.max(), 25)
    elif column.scale == "symlog":
        bins = np.concatenate([[0.0], np.geomspace(1.0, max(values.max(), 2.0), 24)])
    counts, edges = np.histogram(values, bins=bins)
    axes.stairs(counts, edges, fill=True, color="#7A7A7A")
    _scale(axes, "x", column)


def _legend(
    drawn: Figure, axes: Axes, where: Literal["upper right", "outside right upper"]
) -> None:
    handles, names = axes.get_legend_handles_labels()
    legend = drawn.legend(handles, names, loc=where, fontsize=8, frameon=False, markerscale=2.0)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)


@dataclass(frozen=True)
class Histogram:
    """Counts of equally wide bins, and the skewness of the values."""

    counts: Sequence[int]
    skew: float | None


def draw_histograms(shown: Sequence[tuple[str, Histogram, Histogram | None]]) -> Figure:
    """Draw features, raw in grey, and transformed in black where columns are features still."""
    from matplotlib.figure import Figure

    wide = min(_MOST_IN_A_ROW, len(shown))
    high = -(-len(shown) // wide)
    # By hand: matplotlib's own layout takes seconds for so many axes.
    drawn = Figure(figsize=(2.9 * wide, 1.45 * high))
    panels = drawn.subplots(high, 2 * wide, squeeze=False)
    drawn.subplots_adjust(left=0.02, right=0.98, wspace=0.12, hspace=0.75,
                          top=1 - 0.34 / (1.45 * high), bottom=0.22 / (1.45 * high))  # fmt: skip
    for axes in panels.flat:
        axes.set_axis_off()
    for number, (name, before, after) in enumerate(shown):
        row, column = divmod(number, wide)
        raw, transformed = panels[row][2 * column : 2 * column + 2]
        _bars(raw, before, "#A8A8A8", text(name, 20))
        if after is not None:
            _bars(transformed, after, "#222222", "transformed")
    return drawn


def _bars(axes: Axes, shown: Histogram, colour: str, title: str) -> None:
    axes.set_axis_on()
    axes.stairs(shown.counts, fill=True, color=colour)
    axes.set_ylim(bottom=0)
    axes.set_title(title, fontsize=7, loc="left", pad=3)
    skew = "" if shown.skew is None else f"skew {shown.skew:.1f}"
    axes.set_xlabel(skew, fontsize=7, labelpad=1)
    axes.set(xticks=[], yticks=[])
    axes.spines[["top", "right", "left"]].set_visible(False)
