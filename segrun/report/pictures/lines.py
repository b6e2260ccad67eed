"""Curves over a parameter: elbow, silhouettes, noise, distances, explained variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segrun.report.pictures.canvas import INK, MARKERS, figure, plain, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Beyond so many values a curve is a line without markers.
_MOST_MARKERS = 60
#: From how many times the least value on, the axis of a few values is logarithmic.
_LOGARITHMIC = 50


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
    """One pair of axes.

    Attributes
    ----------
    x, y : str
        What the axes show.
    lines : sequence of Line
        The curves, told apart by shade and marker.
    marks : sequence of Mark
        Values with a word.
    whole_x, whole_y : bool
        Whether `x` or `y` counts something, so that ticks are whole numbers.
    """

    x: str
    y: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    whole_x: bool = False
    whole_y: bool = False


def draw(panels: Sequence[Panel], legend: str = "") -> Figure:
    """Return a picture of panels side by side.

    Parameters
    ----------
    panels : sequence of Panel
        At least one; the curves of all have the same names.
    legend : str
        What the names are values of.
    """
    drawn = figure(10.0 if len(panels) > 1 else 7.0, 3.2)
    for axes, panel in zip(drawn.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _panel(axes, panel)
    names = [line.name for line in panels[0].lines if line.name]
    if len(names) > 1:
        drawn.axes[0].legend(fontsize=8, title=text(legend), title_fontsize=8, frameon=False)
    return drawn


def _panel(axes: Axes, panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, line in enumerate(panel.lines):
        few = len(line.x) <= _MOST_MARKERS
        axes.plot(
            line.x, line.y, color=INK[number % len(INK)], linewidth=1.4,
            marker=MARKERS[number % len(MARKERS)] if few else None, markersize=4.5,
            label=text(line.name, 44),
        )  # fmt: skip
    plain(axes, xlabel=text(panel.x, 60), ylabel=text(panel.y, 60))
    places = [x for line in panel.lines for x in line.x if x > 0]
    few = len(set(places)) <= _MOST_MARKERS
    if places and few and max(places) >= _LOGARITHMIC * min(places):
        axes.set_xscale("log")
    axes.grid(visible=True, color="#EEEEEE")
    axes.set_axisbelow(True)
    axes.margins(y=0.14)
    if panel.whole_x and axes.get_xscale() == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if panel.whole_y:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    for mark in panel.marks:
        _mark(axes, mark)


def _mark(axes: Axes, mark: Mark) -> None:
    look: dict[str, Any] = {"color": "#B03A2E", "linewidth": 1.0, "linestyle": (0, (4, 3))}
    word: dict[str, Any] = {"color": "#B03A2E", "fontsize": 8}
    if mark.x is not None:
        axes.axvline(mark.x, **look)
        (place, _), _ = axes.transData.transform([(mark.x, 0.5), (mark.x, 0.5)])
        left = axes.transAxes.inverted().transform((place, 0))[0] > 0.5
        axes.annotate(
            text(mark.word, 40), (mark.x, 0.98), xycoords=("data", "axes fraction"), va="top",
            xytext=(-4 if left else 4, 0), textcoords="offset points",
            ha="right" if left else "left", **word,
        )  # fmt: skip
    if mark.y is not None:
        axes.axhline(mark.y, **look)
        axes.annotate(
            text(mark.word, 40), (0.01, mark.y), xycoords=("axes fraction", "data"), va="bottom",
            xytext=(0, 2), textcoords="offset points", **word,
        )  # fmt: skip
