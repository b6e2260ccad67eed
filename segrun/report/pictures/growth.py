"""Time and memory against rows, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segrun.report.pictures.canvas import figure, save
from segrun.segments.segment import COLOURS

if TYPE_CHECKING:
    from segrun.report.growth import Curve


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves and write them as PNG.

    Parameters
    ----------
    curves : sequence of Curve
        The name of each stands in the legend, with its exponent.
    path : Path
        Where to.
    """
    drawn = figure(11, 4.5)
    time, memory = drawn.subplots(1, 2)
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        n_rows = [size.n_rows for size in curve.sizes]
        slope = curve.exponent()
        name = curve.name if slope is None else f"{curve.name}: exponent {slope:.2f}"
        time.plot(n_rows, [size.wall_seconds for size in curve.sizes], "o-", color=colour,
                  label=name)  # fmt: skip
        known = [(s.n_rows, s.peak_rss_bytes / 1e6) for s in curve.sizes if s.peak_rss_bytes]
        if known:
            memory.plot(*zip(*known, strict=True), "o-", color=colour)
    for axes, title in ((time, "seconds (wall)"), (memory, "highest resident memory, MB")):
        axes.set(xscale="log", yscale="log", xlabel="rows", title=title)
        axes.grid(visible=True, alpha=0.3)
    memory.set_ylim(bottom=100)
    time.legend(fontsize=8, title="exponent: of the three largest sizes", title_fontsize=8)
    save(drawn, path)
