"""What all pictures have in common: size, colours, and how they become files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Told apart by colour-blind people too: M. Okabe, K. Ito, "Color universal design" (2008), the
#: yellow darkened for white paper, and P. Tol's muted scheme (2021) after them.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#332288",
    "#44AA99", "#882255", "#999933", "#AA4499", "#117733", "#661100", "#6699CC", "#888888",
)  # fmt: skip
#: Rows that are in no segment.
NOISE = "#BBBBBB"
_DOTS_PER_INCH = 110


def figure(width: float, height: float) -> Figure:
    """Return an empty picture, inches wide and high; no window system is asked for."""
    # Late: it takes some 0.3 s to import. Not pyplot, which keeps every figure.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(drawn: Figure, path: Path) -> None:
    """Write a picture as PNG; the same picture gives the same bytes."""
    drawn.savefig(path, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
