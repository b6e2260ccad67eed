"""Customers as points, coloured by segment: the projection and the scatter matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segrun.report.pictures.canvas import MARKERS, figure, plain, text
from segrun.segments.segment import NOISE_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def groups(numbers: NDArray[np.int64], looks: Sequence[tuple[int, str, str]]) -> list[Group]:
    """Return the rows of each segment; rows of none come first, so that they are behind.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n_rows,)
        Number of each row's segment.
    looks : sequence of (int, str, str)
        Number, name and colour of every segment to tell from the rest.
    """
    found = []
    known = [number for number, _, _ in looks]
    rest = np.flatnonzero(~np.isin(numbers, known))
    if len(rest):
        found.append(
            Group("others" if (numbers[rest] >= 0).any() else "none", NOISE_COLOUR, "o", rest)
        )
    for number, name, colour in looks:
        rows = np.flatnonzero(numbers == number)
        if len(rows):
            marker = MARKERS[max(number, 0) // 16 % len(MARKERS)]
            found.append(Group(name, colour, marker, rows))
    return found


def draw_plane(x: Axis, y: Axis, shown: Sequence[Group]) -> Figure:
    """Return a picture of two axes with a legend beside it."""
    drawn = figure(8.5, max(5.2, 0.5 + 0.19 * len(shown)))
    axes = drawn.subplots()
    _points(axes, x, y, shown, 9.0)
    plain(axes, xlabel=text(x.name, 60), ylabel=text(y.name, 60))
    _legend(drawn, axes, "outside right upper")
    return drawn


def draw_matrix(columns: Sequence[Axis], shown: Sequence[Group]) -> Figure:
    """Return a picture of every pair of columns; histograms on the diagonal."""
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
            plain(
                axes,
                xlabel=text(x.name, 20) if i == n - 1 else "",
                ylabel=text(y.name, 20) if j == 0 else "",
            )
            axes.tick_params(labelsize=7, labelleft=j == 0 and i != j, labelbottom=i == n - 1)
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
