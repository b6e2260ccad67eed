"""Every point of a sweep: silhouette over the number of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segrun.report.pictures.canvas import INK, MARKERS, figure, plain, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More jobs than shades and markers can tell apart get no legend.
_MOST_NAMES = 12


@dataclass(frozen=True)
class Series:
    """The points of one job: number of clusters and silhouette."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(series: Sequence[Series]) -> Figure:
    """Return a picture of all points, jobs told apart by shade and marker."""
    from matplotlib.ticker import MaxNLocator

    drawn = figure(8.5, 3.8)
    axes = drawn.subplots()
    for number, one in enumerate(series):
        x, y = zip(*sorted(one.points), strict=True)
        axes.plot(
            x, y, MARKERS[number % len(MARKERS)], color=INK[number % len(INK)], markersize=6,
            markerfacecolor="none", markeredgewidth=1.2, label=text(one.name, 40),
        )  # fmt: skip
    plain(axes, xlabel="clusters", ylabel="silhouette")
    n_clusters = [x for one in series for x, _ in one.points]
    if max(n_clusters) > 100 * min(n_clusters):
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, color="#EEEEEE")
    axes.set_axisbelow(True)
    if 1 < len(series) <= _MOST_NAMES:
        drawn.legend(loc="outside right upper", fontsize=8, frameon=False)
    return drawn
