"""Pictures of one look: size, colours, fonts for all letters, and how they become files."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

log = logging.getLogger("segrun.report")

#: Fonts by the script that letters are named after, and the package of Debian that has them.
_ADVICE = {
    **dict.fromkeys(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"), "Noto Sans CJK (fonts-noto-cjk)"),
    **dict.fromkeys(("FACE", "SYMBOLS"), "Symbola (fonts-symbola)"),
}
#: Those of most scripts, from Adlam to Yi.
_OTHERS = "Noto Sans (fonts-noto-core)"
_BOXES = "Last Resort"


def holding(letters: frozenset[str]) -> tuple[list[str], set[str]]:
    """Return names of installed fonts that have these letters, and the letters that none has."""
    found, left = [], set(letters)
    known = _coverage(letters)
    while known:
        # The fewest fonts: one that has all Chinese letters before two that have some.
        name, own = min(known.items(), key=lambda item: (-len(item[1] & left), item[0]))
        if not own & left:
            break
        found.append(name)
        left -= own
    return found, left


def _coverage(letters: frozenset[str]) -> dict[str, set[str]]:
    """Return which of the letters each installed font has, by its name."""
    found: dict[str, set[str]] = {}
    for entry in _installed():
        if entry.name.startswith(_BOXES) or entry.style != "normal":
            continue
        own = {letter for letter in letters if ord(letter) in _codes(entry.fname)}
        if own:
            found.setdefault(entry.name, own)
    return found


def _installed() -> Iterator[Any]:
    """Yield the fonts of matplotlib's list, and those that were installed since it was made."""
    from matplotlib import font_manager

    manager = font_manager.fontManager
    listed = {entry.fname for entry in manager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in listed:
            _add(manager, path)
    yield from manager.ttflist


def _add(manager: Any, path: str) -> None:
    try:
        manager.addfont(path)
    except (OSError, RuntimeError):
        # It cannot be read, or has pictures for letters, as those of coloured emoji.
        log.debug("%s is no font for pictures", path, exc_info=True)


@cache
def _codes(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(font.get_charmap()) if font.scalable else frozenset()


@cache
def warn(letters: frozenset[str]) -> None:
    """Say once what to install for letters that no font has."""
    fonts = sorted({_advice(letter) for letter in letters})
    log.warning(
        "no installed font has %s: pictures show boxes there, the page has them in the fonts of "
        "the browser. Install %s, or any font that has them, and write the page again: "
        "segrun report RUN",
        " ".join(sorted(letters)[:10]), " and ".join(fonts),
    )  # fmt: skip


def _advice(letter: str) -> str:
    words = unicodedata.name(letter, "").split()
    if unicodedata.category(letter) == "So":
        return _ADVICE["SYMBOLS"]
    return next((_ADVICE[word] for word in words[:1] if word in _ADVICE), _OTHERS)


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

    names, left = holding(missing)
    if left:
        warn(frozenset(left))
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
