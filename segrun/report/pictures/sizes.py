"""How many customers each segment has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segrun.report.pictures.canvas import figure, plain, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from segrun.segments.segment import Segment


def draw(segments: Sequence[Segment], unit: str) -> Figure:
    """Return a picture with one bar per segment, the first on top; `unit` names what is counted."""
    drawn = figure(7.5, 0.7 + 0.27 * len(segments))
    axes = drawn.subplots()
    places = range(len(segments))
    bars = axes.barh(places, [s.size for s in segments], color=[s.colour for s in segments],
                     height=0.72)  # fmt: skip
    axes.bar_label(
        bars, [f"{s.size:,} ({s.share:.1%})" for s in segments], padding=4, fontsize=8,
        color="#222222",
    )  # fmt: skip
    axes.set_yticks(places, [text(s.name, 34) for s in segments])
    axes.invert_yaxis()
    plain(axes, xlabel=unit)
    axes.margins(x=0.18, y=0.02)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return drawn
