"""Texts that a spreadsheet would take for formulas, defused."""

from __future__ import annotations

import polars as pl

#: First letters that make a cell of a CSV file a formula; behind the plain ones those of full
#: width. (OWASP, CSV Injection.)
_RISKY = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"

#: Numbers begin with a sign, too, and are no formulas.
_NUMBER = r"^[+-]?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?%?$"

_MARK = "'"


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts, column names included, a spreadsheet shows as they stand.

    A text that would begin a formula gets an apostrophe in front; numbers written as text, such
    as -6, do not.
    """
    texts = pl.col(pl.String)
    risky = texts.str.contains(_RISKY) & ~texts.str.contains(_NUMBER)
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    found = frame.with_columns(pl.when(risky).then(texts.str.replace("^", _MARK)).otherwise(texts))
    names = pl.Series(frame.columns, dtype=pl.String)
    plain = names.str.contains(_NUMBER) | ~names.str.contains(_RISKY)
    return found.rename(
        {name: _MARK + name for name, fine in zip(names, plain, strict=True) if not fine}
    )
