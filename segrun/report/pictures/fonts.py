"""Fonts for letters that the default one lacks: installed ones, else advice on what to install."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

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
