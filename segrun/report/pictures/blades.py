"""Silhouettes of single rows, sorted within each segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segrun.report.pictures.canvas import figure, plain, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A thinner blade has no name beside it: names would stand on each other.
_THINNEST = 0.025


@dataclass(frozen=True)
class Blade:
    """The silhouettes of one segment's rows, in any order."""

    name: str
    colour: str
    values: NDArray[np.float64]


def draw(blades: Sequence[Blade], mean: float | None) -> Figure:
    """Return a picture of the blades, the first on top, and the mean as a line."""
    drawn = figure(7.5, 3.9)
    axes = drawn.subplots()
    total = sum(len(blade.values) for blade in blades)
    gap = max(1, total // 150)
    top = 0
    ticks = []
    for blade in blades:
        n_rows = len(blade.values)
        axes.stairs(
            np.sort(blade.values)[::-1], np.arange(top, top + n_rows + 1) - 0.5,
            orientation="horizontal", fill=True, color=blade.colour, linewidth=0,
        )  # fmt: skip
        if n_rows >= _THINNEST * total:
            ticks.append((top + n_rows / 2, text(blade.name)))
        top += n_rows + gap
    axes.set_ylim(top, -gap)
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    plain(axes, xlabel="silhouette")
    axes.axvline(0, color="#999999", linewidth=0.8)
    if mean is not None:
        axes.axvline(mean, color="#222222", linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"mean {mean:.3f}", (mean, 1.0), xycoords=("data", "axes fraction"), va="bottom",
            ha="center", fontsize=8, color="#222222",
        )  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return drawn
