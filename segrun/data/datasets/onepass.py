"""One pass over a large CSV file: read, checked against the guess on every row, kept typed.

polars computes what is counted and writes the Parquet file from one scan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from segrun.config import ColumnKind, Decimal, FileConfig, RecordsConfig, TransactionsConfig
from segrun.data.datasets import copies
from segrun.data.datasets.columns import CANONICAL
from segrun.data.datasets.csvfile import MAX_FILTERED, distinct
from segrun.data.datasets.epochs import EPOCHS, plausible
from segrun.data.datasets.lines import Lines, read_lines, records, transactions
from segrun.data.datasets.numbers import currency, is_clear, marks
from segrun.data.datasets.probe import Guess
from segrun.data.datasets.readings import (
    FRACTION,
    NUMBERS,
    WHOLE_FLOAT,
    Readings,
    raw,
    unclean,
    with_raw,
)

#: Costs a tenth of the time of reading, Zstandard half of it for two thirds of the size; and every
#: engine reads it.
_COMPRESSION: Final = "snappy"


@dataclass(frozen=True)
class Pass:
    """What a pass over all rows came to.

    Attributes
    ----------
    fits : bool
        Whether every row is as the guess says.
    whole : bool
        Whether every row surely has the header's number of fields, as far as polars can tell.
    fractions, dots : bool
        As of `Guess`, of all rows.
    readings : Readings
        How the columns are read.
    surveyed : mapping
        As of `plausible.survey`.
    """

    fits: bool
    whole: bool
    fractions: bool
    dots: bool
    readings: Readings
    surveyed: Mapping[str, Any]


@dataclass(frozen=True)
class Attempt:
    """How a pass reads.

    Attributes
    ----------
    as_is : frozenset of str
        Roles whose values are taken as they stand, numbers read by the CSV parser.
    narrow : bool
        Whether only the columns that are used are read, and the last.
    blanks : bool
        Whether a row of nothing but separators is one, and does not fit.
    """

    as_is: frozenset[str]
    narrow: bool
    blanks: bool = False


def read_once(
    path: Path, config: FileConfig, guess: Guess, attempt: Attempt, parquet: Path
) -> Pass:
    """Read every row, write those that are used to a Parquet file, and check them.

    Parameters
    ----------
    path : Path
        The file in UTF-8.
    config : FileConfig
        Its settings.
    guess : Guess
        How it seems to be read.
    attempt : Attempt
        How the pass reads.
    parquet : Path
        Where the rows go.

    Raises
    ------
    polars.exceptions.PolarsError
        If polars cannot read the file so.
    """
    frame = _scan(path, guess, attempt)
    whole = not isinstance(config, TransactionsConfig | RecordsConfig)
    rows = with_raw(frame, guess.mapped, config, attempt.as_is)
    lines = read_lines(rows, guess.mapped, guess.readings, whole_quantities=whole)
    if isinstance(config, RecordsConfig):
        good = records(lines, config.id)
        roles = {config.id: guess.mapped.id_role} | {name: name for name in config.columns}
        dates = [name for name, kind in config.columns.items() if kind is ColumnKind.date]
        date = dates[0] if dates else None
    else:
        good = transactions(lines, fractions=guess.fractions)
        roles = {CANONICAL[role]: role for role in guess.mapped.columns}
        roles |= {"UnitPrice": "amount"} if "amount" in guess.mapped.columns else {}
        date = "date"
    sink = good.sink_parquet(parquet, compression=_COMPRESSION, lazy=True)
    asked = lines.frame.select(
        **_checks(lines, config, guess, attempt), **_facts(lines, guess, date)
    )
    # One scan serves both; every branch more would cost a copy of all that passes by.
    _, found = pl.collect_all([sink, asked], engine="streaming")
    counted = found.row(0, named=True)
    # What the file has no column for is filled in, and never missing.
    missing = {
        column: counted[f"missing {roles[column]}"] if column in roles else 0
        for column in good.collect_schema().names()
    }
    return _judged(counted, missing, guess)


def each_whole(path: Path, separator: str, n_fields: int) -> bool:
    """Tell whether every line of a file without quotes has so many fields, or is blank.

    Raises
    ------
    polars.exceptions.PolarsError
        If that cannot be told.
    """
    n_found = pl.col("line").str.count_matches(separator, literal=True)
    strange = (n_found != n_fields - 1) & (pl.col("line") != "")
    return not _as_lines(path).select(strange.any()).collect(engine="streaming").item()


def each_closed(path: Path, separator: str) -> bool:
    """Tell whether quotes are around whole fields only, and closed in the line that opens them.

    Raises
    ------
    polars.exceptions.PolarsError
        If that cannot be told.
    """
    letter = re.escape(separator)
    field = rf'(?:"(?:[^"]|"")*"|[^"{letter}]*)'
    closed = pl.col("line").str.contains(rf"^{field}(?:{letter}{field})*\r?$")
    return bool(_as_lines(path).select(closed.all()).collect(engine="streaming").item())


def _as_lines(path: Path) -> pl.LazyFrame:
    # As one column: a control character separates nothing.
    return pl.scan_csv(
        path, schema={"line": pl.String()}, glob=False, separator="\x01", quote_char=None,
        has_header=False,
    )  # fmt: skip


def _scan(path: Path, guess: Guess, attempt: Attempt) -> pl.LazyFrame:
    """Open the file: text, but numbers that are taken as they stand."""
    used = {c: role for role, c in guess.mapped.columns.items() if role in attempt.as_is}
    names = distinct(guess.names)
    typed = guess.mapped.roles(*NUMBERS)
    whole = [name for name in names if used.get(name) in guess.whole]
    kinds: dict[str, pl.DataType] = dict.fromkeys(typed, pl.Float64())
    kinds |= dict.fromkeys(guess.whole, pl.Int64())
    schema = {name: kinds.get(used.get(name, ""), pl.String()) for name in names}
    frame = pl.scan_csv(path, schema=schema, glob=False, separator=guess.separator, has_header=True)
    frame = frame.with_columns(pl.col(whole).cast(pl.Float64))
    if attempt.narrow or attempt.blanks or len(names) > MAX_FILTERED:
        return frame
    # A line that is blank, or has nothing but separators, is no row.
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _checks(lines: Lines, config: FileConfig, guess: Guess, attempt: Attempt) -> dict[str, pl.Expr]:
    """Return what is counted to see whether every row is as the guess says."""
    mapped, names = guess.mapped, distinct(guess.names)
    ids = pl.col(raw(mapped.id_role))
    quantity = pl.lit(1.0) if lines.quantity is None else lines.quantity
    texts = [role for role in attempt.as_is if mapped.uses[role] not in NUMBERS]
    dirt = [unclean(pl.col(mapped.columns[r]), mapped.uses[r], config) for r in texts]
    # Of a format that is given, any date will do.
    given = config.date_format is not None
    counts = [r for r, form in guess.readings.date_formats.items() if form in EPOCHS and not given]
    strange = [~plausible(lines.values[role]) for role in counts]
    numbers = [role for role, form in guess.readings.forms.items() if not form.plain]
    asked = {
        "n_rows": pl.len(),
        "n_last": pl.col(names[-1]).count(),
        "n_bad": lines.bad.sum(),
        "n_strange": pl.any_horizontal(pl.lit(value=False), *strange).sum(),
        "n_unclean": pl.any_horizontal(pl.lit(value=False), *dirt).sum(),
        "fractions": (quantity != quantity.round()).any(),
        "n_dots": ids.str.contains(".", literal=True).sum(),
        **{f"currency {r}": _currencies(raw(r)) for r in numbers if r not in attempt.as_is},
        **_marks(guess, config, attempt),
    }
    if guess.dots:
        asked["n_whole"] = ids.str.contains(WHOLE_FLOAT).sum()
        asked["n_fractions"] = ids.str.contains(FRACTION).sum()
    if not attempt.narrow:
        # polars sees a field too many only where it reads every column.
        asked |= {f"count of {name}": pl.col(name).count() for name in names}
    if attempt.blanks:
        asked["n_blank"] = pl.all_horizontal(pl.col(names).is_null()).sum()
    return asked


def _marks(guess: Guess, config: FileConfig, attempt: Attempt) -> dict[str, pl.Expr]:
    """Return what tells whether the decimal mark is as clear as in the probe."""
    if config.decimal is not Decimal.auto:
        return {}
    forms = {r: form for r, form in guess.readings.forms.items() if r not in attempt.as_is}
    return {
        f"marks {role}": pl.struct(marks(pl.col(raw(role)), plain=form.plain))
        for role, form in forms.items()
    }


def _currencies(name: str) -> pl.Expr:
    return currency(pl.col(name)).drop_nulls().unique().implode()


def _facts(lines: Lines, guess: Guess, date: str | None) -> dict[str, pl.Expr]:
    """Return what the plausibility page tells."""
    asked = {f"missing {role}": value.null_count() for role, value in lines.values.items()}
    if date is not None:
        day = lines.values[date].drop_nulls().dt.date().alias("day")
        asked["days"] = day.value_counts(name="n").implode()
    if guess.busiest is not None:
        asked["n_busiest"] = (lines.values[guess.mapped.id_role] == guess.busiest).sum()
    return asked


def _judged(checks: Mapping[str, Any], missing: Mapping[str, int], guess: Guess) -> Pass:
    n_rows, readings = checks["n_rows"], guess.readings
    whole = checks["n_last"] == n_rows
    fits = n_rows > 0 and not checks["n_bad"] and not checks["n_unclean"]
    fits = fits and not checks.get("n_blank") and not checks["n_strange"]
    fits = fits and bool(checks["fractions"]) == guess.fractions
    if guess.dots:
        fits = fits and readings.whole_ids == bool(checks["n_whole"] and not checks["n_fractions"])
    else:
        fits = fits and not checks["n_dots"]
    fits = fits and all(
        is_clear(found) for name, found in checks.items() if name.startswith("marks ")
    )
    forms = dict(readings.forms)
    for name, seen in checks.items():
        if name.startswith("currency "):
            role = name.removeprefix("currency ")
            forms[role] = replace(forms[role], currencies=tuple(sorted(seen)))
    days = pl.Series(checks.get("days", []), dtype=pl.Struct({"day": pl.Date, "n": pl.UInt32}))
    surveyed = {
        "n_lines": n_rows,
        "missing": missing,
        "nameless": checks[f"missing {guess.mapped.id_role}"],
        "copies": dict(copies.UNKNOWN),
        "days": days.struct.unnest().sort("day"),
        "busiest": (guess.busiest, checks["n_busiest"]) if guess.busiest is not None else None,
    }
    found = replace(
        readings, forms=forms, n_lines=n_rows, fractional_ids=checks.get("n_fractions", 0) > 0,
        # Of the probe's rows only.
        id_suffix="",
    )  # fmt: skip
    seen = bool(checks["fractions"]), checks["n_dots"] > 0
    return Pass(fits, whole, *seen, found, surveyed)
