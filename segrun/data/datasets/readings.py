"""How the columns of a file are to be read, found in one pass over all rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from segrun.config import Decimal, FileConfig
from segrun.data.datasets import numbers
from segrun.data.datasets.columns import NUMBERS, Mapped, Use
from segrun.data.datasets.dates import find_format, parse
from segrun.data.datasets.numbers import NumberForm
from segrun.data.datasets.quoting import clipped, quoted
from segrun.data.datasets.table import LINE, POLARS_ERRORS, Table, counted, places
from segrun.errors import DataError

#: White space, and letters without any width that joined files leave behind.
_BLANKS = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\x00\u200b\ufeff"
)

_WHOLE_FLOAT = r"^\d+\.0+$"
_FRACTION = r"^\d+\.\d*[1-9]\d*$"


@dataclass(frozen=True)
class Readings:
    """How columns are read, by role.

    Attributes
    ----------
    forms : mapping of str to NumberForm
        Of the numbers that are text.
    date_formats : mapping of str to str
        Of the dates that are text.
    n_lines : int
        Rows of the file that polars sees.
    whole_ids : bool
        Whether ``.0`` behind an id is left out: 17850.0 and 17850 are one customer, whatever the
        others look like, as long as no id has another fraction.
    fractional_ids : bool
        Whether an id has another fraction, as 17850.5.
    id_suffix : str
        What is left out behind every id, ``.0``; empty where some are written without.
    """

    forms: Mapping[str, NumberForm]
    date_formats: Mapping[str, str]
    n_lines: int
    whole_ids: bool
    fractional_ids: bool = False
    id_suffix: str = ""


def raw(role: str) -> str:
    """Return the name of the column that `with_raw` adds for a role."""
    return f"{role} of segrun"


def with_raw(
    frame: pl.LazyFrame, mapped: Mapped, config: FileConfig, as_is: Collection[str] = ()
) -> pl.LazyFrame:
    """Add the columns that are used as they stand, missing values null.

    Each is text, or typed (dates, numbers) where the file has types. Those of the roles in
    `as_is` are taken for clean, which is much cheaper.
    """
    schema = frame.collect_schema()
    for name in mapped.columns.values():
        if not _is_readable(schema[name]):
            raise DataError(
                f"dataset.path={config.path}: the column {clipped(name)} holds {schema[name]}, not "
                "text, numbers or dates. Convert it, or name another column"
            )
    return frame.with_columns(
        (
            pl.col(c) if role in as_is else _raw(pl.col(c), schema[c], mapped.uses[role], config)
        ).alias(raw(role))
        for role, c in mapped.columns.items()
    )


def unclean(text: pl.Expr, use: Use, config: FileConfig) -> pl.Expr:
    """Return where a text is not what `with_raw` makes of it."""
    bare = text if use is Use.text else text.str.strip_chars(_BLANKS)
    return (bare != text) | text.is_in([*config.missing, ""])


def without_raw(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return the file's own columns again."""
    return frame.select(pl.exclude(LINE, f"^{raw('.*')}$"))


def find_readings(
    table: Table, frame: pl.LazyFrame, mapped: Mapped, config: FileConfig
) -> Readings:
    """Look at every row once and say how each column is read."""
    schema = frame.collect_schema()
    texts = [role for role in mapped.columns if schema[raw(role)] == pl.String]
    found = _survey(table, frame, mapped, texts)
    n_lines = found["n_lines"].item()
    if not n_lines:
        raise DataError(f"dataset.path={config.path} has a header and no line below it")
    forms = {}
    for role in [r for r in mapped.roles(*NUMBERS) if r in texts]:
        if numbers.is_plain(found[raw(role)].item(), config.decimal):
            forms[role] = NumberForm(Decimal.point, plain=True)
            continue
        given = counted(frame, pl.col(raw(role)).alias("text"), "count")
        where = f"dataset.path={config.path}, {mapped.columns[role]}"
        counts = numbers.survey(given)
        forms[role] = numbers.choose(counts, config.decimal, where)
    formats = {}
    for role in [r for r in mapped.roles(Use.date) if r in texts]:
        dates = counted(frame, pl.col(raw(role)).alias("text"), "count")
        formats[role] = _date_format(dates, table, mapped.columns[role], config)
    return Readings(forms, formats, n_lines, **id_forms(found[raw(mapped.id_role)].item()))


def id_counts(ids: pl.Expr) -> pl.Expr:
    """Return what `id_forms` must know of ids, as an aggregate."""
    is_whole = ids.str.contains(_WHOLE_FLOAT)
    return pl.struct(
        given=ids.count(),
        whole=is_whole.sum(),
        fractions=ids.str.contains(_FRACTION).sum(),
        ends=ids.filter(is_whole).str.extract(r"(\.0+)$").unique().implode(),
    )


def id_forms(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `Readings` has of ids."""
    whole, ends = counts["whole"] > 0 and not counts["fractions"], counts["ends"]
    is_alike = whole and counts["whole"] == counts["given"] and len(ends) == 1
    return {
        "whole_ids": whole,
        "fractional_ids": counts["fractions"] > 0,
        "id_suffix": ends[0] if is_alike else "",
    }


def _is_readable(dtype: pl.DataType) -> bool:
    strange = (pl.Duration, pl.Time, pl.Binary, pl.Object, pl.Unknown)
    return not dtype.is_nested() and not isinstance(dtype, strange)


def _raw(column: pl.Expr, dtype: pl.DataType, use: Use, config: FileConfig) -> pl.Expr:
    """Return a column as text, numbers or dates, whichever it is; missing values null."""
    if dtype == pl.Date and use is Use.date:
        return column.cast(pl.Datetime("us"))
    if isinstance(dtype, pl.Datetime) and use is Use.date:
        # What the clock on the wall said is what weekdays and months are about.
        return column.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    if dtype.is_numeric() and use in NUMBERS:
        return column.cast(pl.Float64).fill_nan(None)
    if dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        text = (
            pl.when(whole == column).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
        )
        return pl.when(column.is_not_nan()).then(text)
    text = column.cast(pl.String)
    # Blanks are a description, but no id, number or date.
    bare = text if use is Use.text else text.str.strip_chars(_BLANKS)
    return pl.when((bare != "") & ~bare.is_in(config.missing)).then(bare)


def _survey(
    table: Table, frame: pl.LazyFrame, mapped: Mapped, texts: Sequence[str]
) -> pl.DataFrame:
    ids = pl.col(raw(mapped.id_role))
    asked = {
        "n_lines": pl.len(),
        "n_last": pl.col(without_raw(frame).collect_schema().names()[-1]).count(),
        raw(mapped.id_role): id_counts(ids),
    }
    for role in [r for r in mapped.roles(*NUMBERS) if r in texts]:
        asked[raw(role)] = pl.struct(numbers.glance(pl.col(raw(role))))
    try:
        found = frame.select(
            # polars sees a field too many only where it reads every column.
            pl.all().count().name.prefix("count of "),
            **asked,
        ).collect(engine="streaming")
    except POLARS_ERRORS as error:
        raise table.explain(error) from error
    # To polars, fields that a row lacks are merely missing: the last one always is.
    if (
        found["n_last"].item() < found["n_lines"].item()
        and LINE not in frame.collect_schema().names()
    ):
        table.check_rows()
    return found


def _date_format(dates: pl.DataFrame, table: Table, column: str, config: FileConfig) -> str:
    where = f"dataset.path={config.path}, {column}"

    def locate(text: str) -> str:
        said = pl.col(column).cast(pl.String).str.strip_chars() == text
        found = table.numbered().filter(said).select(LINE).head(1).collect()
        return f"{quoted(text)} ({places(table, found[LINE])})" if len(found) else quoted(text)

    if config.date_format is not None:
        n_read = dates["count"].filter(parse(dates["text"], config.date_format).is_not_null())
        if 2 * int(n_read.sum()) < int(dates["count"].sum()):
            unread = dates["text"].filter(parse(dates["text"], config.date_format).is_null())
            raise DataError(
                f"{where}: {len(unread)} of {len(dates)} different dates do not fit "
                f"dataset.date_format={config.date_format!r}, such as "
                f"{', '.join(map(locate, unread.sort().head(3)))}. null lets segrun find the format"
            )
        return config.date_format
    # Excel's own dates read as ISO texts, whatever the order of those that are typed in.
    if table.facts.get("format") == "excel":
        iso = [find for find in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f")
               if not parse(dates["text"], find).null_count()]  # fmt: skip
        if iso:
            return iso[0]
    return find_format(dates, config.date_order, where, locate)
