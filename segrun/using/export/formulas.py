"""Frames without texts that a spreadsheet would take for formulas."""

from __future__ import annotations

import polars as pl

from segrun.rundir.store import MARK, NUMBER, RISKY


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts, column names included, a spreadsheet shows as they stand.

    A text that would begin a formula gets an apostrophe in front; numbers written as text, such
    as -6, do not.
    """
    texts = pl.col(pl.String)
    risky = texts.str.contains(RISKY) & ~texts.str.contains(NUMBER)
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    found = frame.with_columns(pl.when(risky).then(texts.str.replace("^", MARK)).otherwise(texts))
    names = pl.Series(frame.columns, dtype=pl.String)
    plain = names.str.contains(NUMBER) | ~names.str.contains(RISKY)
    return found.rename(
        {name: MARK + name for name, fine in zip(names, plain, strict=True) if not fine}
    )
