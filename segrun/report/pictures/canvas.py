"""What all pictures have in common: size, colours, texts, and how they become files."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Lines and bars that stand for no segment: colour is kept for segments.
INK = ("#222222", "#7A7A7A", "#A8A8A8", "#4D4D4D", "#C4C4C4", "#909090")
#: Segments beyond the colours are told apart by these.
MARKERS = ("o", "^", "s", "D", "v", "P")
_DOTS_PER_INCH = 110
#: What matplotlib says of a letter, with its number.
_LACKING = r"Glyph (\d+) .*missing from"


def figure(width: float, height: float) -> Figure:
    """Return an empty picture, inches wide and high; no window system is asked for."""
    # Late: it takes some 0.3 s to import. Not pyplot, which keeps every figure.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def png(drawn: Figure) -> bytes:
    """Return a picture as the bytes of a PNG file; the same picture gives the same bytes."""
    content, missing = _rendered(drawn)
    if not missing:
        return content
    from segrun.report.pictures import fonts

    names, left = fonts.holding(missing)
    if left:
        fonts.warn(frozenset(left))
    if names:
        _add_fonts(drawn, names)
        content, _ = _rendered(drawn)
    return content


def _rendered(drawn: Figure) -> tuple[bytes, frozenset[str]]:
    """Return a PNG file, and the letters that its fonts lack, which become boxes."""
    import warnings

    content = io.BytesIO()
    with warnings.catch_warnings(record=True) as told:
        warnings.filterwarnings("always", _LACKING, UserWarning)
        drawn.savefig(content, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    missing = set()
    for one in told:
        found = re.match(_LACKING, str(one.message))
        if found is None:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        else:
            missing.add(chr(int(found[1])))
    return content.getvalue(), frozenset(missing)


def _add_fonts(drawn: Figure, names: list[str]) -> None:
    from matplotlib.text import Text

    # Which weights a font has is nothing to tell people.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    for said in drawn.findobj(Text):
        assert isinstance(said, Text)
        said.set_fontfamily([*said.get_fontfamily(), *names])


def text(said: object, longest: int = 28) -> str:
    """Return somebody's text (a name, an id, a column) as a picture can show it.

    Dollar signs begin no formula, a leading underscore hides no legend entry, line breaks and
    control characters are gone, and what is too long ends in dots.
    """
    line = "".join(letter if letter.isprintable() else " " for letter in str(said))
    line = " ".join(line.split())
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    return (" " if line.startswith("_") else "") + line.replace("$", r"\$")


def plain(axes: Axes, **settings: Any) -> None:
    """Take the frame away that says nothing, and set titles and labels."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(colors="#444444", labelsize=8)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    axes.set(**settings)
    axes.title.set_fontsize(10)
    axes.title.set_color("#222222")
