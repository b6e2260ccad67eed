"""Profiles of segments as coloured cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segrun.report.pictures.canvas import figure, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: From clearly below to clearly above; black letters can be read on all of them.
DIVERGING = ("#6BAED6", "#FFFFFF", "#F4A259")
#: Standard deviations at which the colour is full.
FULL = 2.0


def draw(columns: Sequence[str], names: Sequence[str], z: NDArray[np.float64]) -> Figure:
    """Return a picture with one row per column and one cell per segment.

    Parameters
    ----------
    columns : sequence of str
        What the rows show.
    names : sequence of str
        Of the segments.
    z : ndarray of float64, shape (n_columns, n_segments)
        Means in standard deviations from the mean of all customers; NaN stays white.
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
