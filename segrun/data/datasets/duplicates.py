"""Lines that repeat an earlier one in every column: counted, and told where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from segrun.config import Copies, FileConfig, RecordsConfig
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.lines import Lines
from segrun.data.datasets.readings import raw, without_raw

#: Copies are found by hashes, some 60 bytes a line: above this they are only looked for where they
#: are to be left out, to bound memory. A CSV file of so many lines is read in one pass, which
#: looks for none either.
_MAX_LINES = 2_500_000

#: Of a day that two files have in common every second line is a copy; some of them may have been
#: mended in between.
_DENSE = 1 / 3

#: So many times as dense as on all other days, copies are no accident.
_APART = 3.0

#: Copies in a range of days that is told.
_FEWEST = 3


#: What is told where copies were not looked for.
UNKNOWN: Mapping[str, Any] = {"n": None, "ranges": []}


def find(
    lines: Lines, mapped: Mapped, config: FileConfig, n_lines: int
) -> tuple[Mapping[str, Any], Lines]:
    """Look for copies among so many lines, about, and leave them out if the configuration says so.

    Values of columns that are used count as they are read, of others the text.

    Returns
    -------
    facts : mapping
        ``n`` (None: they were not looked for), ``n_lines`` (copies included), ``money`` and
        ``share_of_money`` (None where lines have none), ``ranges``: first and last day, copies,
        lines and money of each stretch of days that consists of copies.
    lines : Lines
        The lines that are left.
    """
    drop = config.duplicates is Copies.drop
    if n_lines > _MAX_LINES and not drop:
        return UNKNOWN, lines
    used = set(mapped.columns.values())
    others = [c for c in without_raw(lines.frame).collect_schema().names() if c not in used]
    whole = pl.struct(*lines.values.values(), *others)
    # A second hash, which doubles the time, only where a line would be lost that has another's.
    hashes = pl.struct(one=whole.hash(), other=whole.hash(1)) if drop else whole.hash()
    # A column of records that is called so may hold anything.
    has_money = not isinstance(config, RecordsConfig)
    date = mapped.date_role
    table = lines.frame.select(
        line=hashes,
        day=pl.lit(None, dtype=pl.Date) if date is None else lines.values[date].dt.date(),
        money=_money(lines) if has_money else pl.lit(None, dtype=pl.Float64),
    ).collect(engine="streaming")
    table = table.select("day", "money", copy=~pl.col("line").is_first_distinct())
    if drop:
        number, places = raw("copy"), table["copy"].arg_true()
        frame = lines.frame.with_row_index(number)
        lines = replace(lines, frame=frame.filter(~pl.col(number).is_in(places.implode())))
    return _facts(table, has_money=has_money), lines


def _money(lines: Lines) -> pl.Expr:
    read = lines.values
    return read["amount"] if "amount" in read else read["price"] * read.get("quantity", pl.lit(1.0))


def _facts(table: pl.DataFrame, *, has_money: bool) -> dict[str, Any]:
    copied = table.filter("copy")["money"]
    sizes = [float(values.abs().sum()) for values in (copied, table["money"])]
    share = sizes[0] / sizes[1] if has_money and sizes[1] else None
    return {
        "n": len(copied),
        "n_lines": len(table),
        "money": round(copied.sum(), 2) if has_money else None,
        # Rounded: the last bits of a sum depend on the order in which it is taken.
        "share_of_money": None if share is None else round(share, 6),
        "ranges": list(_ranges(table)) if len(copied) else [],
    }


def _ranges(table: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the stretches of days that consist of copies, where others hardly have any."""
    days = (
        table.drop_nulls("day")
        .group_by("day")
        .agg(
            n=pl.len(),
            copies=pl.col("copy").sum(),
            money=pl.col("money").filter("copy").sum(),
        )
        .sort("day")
        .with_columns(dense=pl.col("copies") >= _DENSE * pl.col("n"))
        .with_columns(stretch=pl.col("dense").rle_id())
    )
    stretches = days.group_by("stretch", maintain_order=True).agg(
        dense=pl.col("dense").first() & (pl.col("copies").sum() >= _FEWEST),
        first=pl.col("day").first().cast(pl.String),
        last=pl.col("day").last().cast(pl.String),
        n_copies=pl.col("copies").sum(),
        n_lines=pl.col("n").sum(),
        money=pl.col("money").sum().round(2),
    )
    inside, outside = stretches.filter("dense"), stretches.filter(~pl.col("dense"))
    if outside.is_empty() or inside.is_empty():
        return
    density = pl.col("n_copies").sum() / pl.col("n_lines").sum()
    if inside.select(density).item() >= _APART * outside.select(density).item():
        yield from inside.drop("stretch", "dense").iter_rows(named=True)
