"""Texts of somebody's file in messages: as they stand, but never pages of them."""

from __future__ import annotations

from collections.abc import Sequence

_MAX_LETTERS = 60
_MAX_NAMES = 30


def clipped(text: str) -> str:
    """Return a text, its end left out where it is long."""
    if len(text) <= _MAX_LETTERS:
        return text
    return f"{text[: _MAX_LETTERS // 2]}... ({len(text)} letters)"


def quoted(text: str) -> str:
    """Return a text in quotes, line breaks and the like as escapes."""
    short = repr(text[:_MAX_LETTERS])
    return (
        short if len(text) <= _MAX_LETTERS else f"{short[:-1]}...{short[-1]} ({len(text)} letters)"
    )


def listed(names: Sequence[str]) -> str:
    """Return names separated by commas; of very many, the first."""
    shown = ", ".join(" ".join(clipped(name).split()) for name in names[:_MAX_NAMES])
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
