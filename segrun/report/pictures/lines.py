"""Curves over a parameter, points of a sweep, growth with the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segrun.report.pictures.canvas import INK, MARKERS, figure, plain, text
from segrun.segments.segment import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from segrun.report.growth import Curve

#: Beyond so many values a curve is a line without markers.
_MOST_MARKERS = 60
#: From how many times the least value on, the axis of a few values is logarithmic.
_LOGARITHMIC = 50
#: More jobs than shades and markers can tell apart get no legend.
_MOST_NAMES = 12


@dataclass(frozen=True)
class Line:
    """One curve; `y` may have NaN where there is no value."""

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""


@dataclass(frozen=True)
class Mark:
    """A value that deserves a word: a vertical line at `x`, or a horizontal one at `y`."""

    word: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True)
class Panel:
    """One pair of axes, called `x` and `y`; `whole_x`, `whole_y`: ticks are whole numbers."""

    x: str
    y: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    whole_x: bool = False
    whole_y: bool = False


def draw_lines(panels: Sequence[Panel], legend: str = "") -> Figure:
    """Draw panels side by side, whose curves have the same names: values of `legend`."""
    drawn = figure(10.0 if len(panels) > 1 else 7.0, 3.2)
    for axes, panel in zip(drawn.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, panel)
    names = [line.name for line in panels[0].lines if line.name]
    if len(names) > 1:
        drawn.axes[0].legend(fontsize=8, title=text(legend), title_fontsize=8, frameon=False)
    return drawn


def _draw_panel(axes: Axes, panel: Panel) -> None:
    for number, line in enumerate(panel.lines):
        few = len(line.x) <= _MOST_MARKERS
        axes.plot(
            line.x, line.y, color=INK[number % len(INK)], linewidth=1.4,
            marker=MARKERS[number % len(MARKERS)] if few else None, markersize=4.5,
            label=text(line.name, 44),
        )  # fmt: skip
    plain(axes, xlabel=text(panel.x, 60), ylabel=text(panel.y, 60))
    x = {x for line in panel.lines for x in line.x if x > 0}
    if x and len(x) <= _MOST_MARKERS and max(x) >= _LOGARITHMIC * min(x):
        axes.set_xscale("log")
    axes.margins(y=0.14)
    _grid(axes, panel.whole_x and axes.get_xscale() == "linear", panel.whole_y)
    for mark in panel.marks:
        _draw_mark(axes, mark)


def _grid(axes: Axes, whole_x: bool, whole_y: bool = False) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.grid(visible=True, color="#EEEEEE")
    axes.set_axisbelow(True)
    if whole_x:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if whole_y:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_mark(axes: Axes, mark: Mark) -> None:
    look: dict[str, Any] = {"color": "#B03A2E", "linewidth": 1.0, "linestyle": (0, (4, 3))}
    word: dict[str, Any] = {"color": "#B03A2E", "fontsize": 8, "textcoords": "offset points"}
    if mark.x is not None:
        axes.axvline(mark.x, **look)
        (place, _), _ = axes.transData.transform([(mark.x, 0.5), (mark.x, 0.5)])
        left = axes.transAxes.inverted().transform((place, 0))[0] > 0.5
        axes.annotate(
            text(mark.word, 40), (mark.x, 0.98), xycoords=("data", "axes fraction"), va="top",
            xytext=(-4 if left else 4, 0), ha="right" if left else "left", **word,
        )  # fmt: skip
    if mark.y is not None:
        axes.axhline(mark.y, **look)
        axes.annotate(
            text(mark.word, 40), (0.01, mark.y), xycoords=("axes fraction", "data"), va="bottom",
            xytext=(0, 2), **word,
        )  # fmt: skip


def draw_points(jobs: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Draw silhouettes over numbers of clusters, jobs told apart by shade and marker."""
    drawn = figure(8.5, 3.8)
    axes = drawn.subplots()
    for number, (job, points) in enumerate(jobs.items()):
        axes.plot(
            *zip(*sorted(points), strict=True), MARKERS[number % len(MARKERS)],
            color=INK[number % len(INK)], markersize=6, markerfacecolor="none",
            markeredgewidth=1.2, label=text(job, 40),
        )  # fmt: skip
    plain(axes, xlabel="clusters", ylabel="silhouette")
    n_clusters = [x for points in jobs.values() for x, _ in points]
    logarithmic = max(n_clusters) > 100 * min(n_clusters)
    if logarithmic:
        axes.set_xscale("log")
    _grid(axes, whole_x=not logarithmic)
    if 1 < len(jobs) <= _MOST_NAMES:
        drawn.legend(loc="outside right upper", fontsize=8, frameon=False)
    return drawn


def draw_growth(curves: Sequence[Curve]) -> Figure:
    """Draw seconds and memory against rows, on logarithmic axes."""
    drawn = figure(11, 4.5)
    time, memory = drawn.subplots(1, 2)
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        slope = curve.exponent()
        name = curve.name if slope is None else f"{curve.name}: exponent {slope:.2f}"
        time.plot([size.n_rows for size in curve.sizes],
                  [size.wall_seconds for size in curve.sizes], "o-", color=colour,
                  label=name)  # fmt: skip
        known = [(s.n_rows, s.peak_rss_bytes / 1e6) for s in curve.sizes if s.peak_rss_bytes]
        if known:
            memory.plot(*zip(*known, strict=True), "o-", color=colour)
    for axes, title in ((time, "seconds (wall)"), (memory, "highest resident memory, MB")):
        axes.set(xscale="log", yscale="log", xlabel="rows", title=title)
        axes.grid(visible=True, alpha=0.3)
    memory.set_ylim(bottom=100)
    time.legend(fontsize=8, title="exponent: of the three largest sizes", title_fontsize=8)
    return drawn
