"""Texts that a spreadsheet would take for formulas, in CSV files."""

from __future__ import annotations

import re

#: First letters that make a cell of a CSV file a formula; behind the plain ones those of full
#: width. (OWASP, CSV Injection.)
FIRST = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
RISKY = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"

#: Numbers begin with a sign, too, and are no formulas.
NUMBER = r"^[+-]?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?%?$"

#: Before it, a spreadsheet takes anything for text.
MARK = "'"

_NUMBER = re.compile(NUMBER)


def defused(text: str) -> str:
    """Return a text as a CSV file holds it: with an apostrophe in front of what is a formula."""
    return MARK + text if text[:1] in (MARK, *FIRST) and _is_formula(text) else text


def restored(cell: str) -> str:
    """Return the text that `defused` made this cell of."""
    return cell[1:] if cell[:1] == MARK and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    # Marks in front count as well: only so can one more be told from them.
    bare = text.lstrip(MARK)
    return bool(bare) and bare[0] in FIRST and not _NUMBER.fullmatch(bare)
