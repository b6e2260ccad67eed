"""Every feature before and after the transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segrun.report.pictures.canvas import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BARS_WIDE = 4


@dataclass(frozen=True)
class Histogram:
    """Counts of equally wide bins between `low` and `high`."""

    counts: Sequence[int]
    low: float
    high: float
    skew: float | None


def draw(shown: Sequence[tuple[str, Histogram, Histogram | None]]) -> Figure:
    """Return a picture of the features, raw in grey, transformed in black.

    Parameters
    ----------
    shown : sequence of (str, Histogram, Histogram or None)
        Name, before, and after where the transform keeps columns apart.
    """
    from matplotlib.figure import Figure

    wide = min(_BARS_WIDE, len(shown))
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
        pair = ((before, "#A8A8A8", text(name, 20)), (after, "#222222", "transformed"))
        for place, (bars, colour, title) in enumerate(pair):
            if bars is None:
                continue
            axes = panels[row][2 * column + place]
            axes.set_axis_on()
            axes.stairs(bars.counts, fill=True, color=colour)
            axes.set_ylim(bottom=0)
            skew = "" if bars.skew is None else f"skew {bars.skew:.1f}"
            axes.set_title(title, fontsize=7, loc="left", pad=3)
            axes.set_xlabel(skew, fontsize=7, labelpad=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[["top", "right", "left"]].set_visible(False)
    return drawn
