"""One pass over a large CSV file: read, checked against the guess on every row, kept typed.

It takes a quarter of the processor time of the strict reading: polars computes what is counted
and writes the Parquet file from one scan.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from segrun.config import BadLines, Decimal, FileConfig
from segrun.data.datasets import duplicates
from segrun.data.datasets.account import per_day
from segrun.data.datasets.bytescan import ByteScan, progress_shown
from segrun.data.datasets.columns import NUMBERS
from segrun.data.datasets.csvfile import MAX_FILTERED, distinct
from segrun.data.datasets.dates import EPOCHS, plausible
from segrun.data.datasets.lines import Lines, delivered, read_lines
from segrun.data.datasets.numbers import currency, is_clear, marks
from segrun.data.datasets.readings import (
    Readings,
    id_counts,
    id_forms,
    raw,
    unclean,
    with_raw,
)
from segrun.data.datasets.sample import Guess
from segrun.data.datasets.table import POLARS_ERRORS
from segrun.data.datasets.textfile import Utf8File

#: Costs a tenth of the time of reading, Zstandard half of it for two thirds of the size; and every
#: engine reads it.
_COMPRESSION: Final = "snappy"

#: A disk with less is full.
_LEAST_FREE_BYTES = 2**20

log = logging.getLogger("segrun.data.datasets")


class NoUtf8(Exception):  # noqa: N818 - no error: the file is read another way
    """The text is in another encoding."""


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
        As of `account.survey`.
    """

    fits: bool
    whole: bool
    fractions: bool
    dots: bool
    readings: Readings
    surveyed: Mapping[str, Any]


def read_checked(
    config: FileConfig, text: Utf8File, guess: Guess, scan: ByteScan, parquet: Path
) -> Pass | None:
    """Return what the first pass that fits every row came to, None where none does."""
    while True:
        try:
            with progress_shown(config.path, text.path, scan):
                found = _read_once(text.path, config, guess, parquet)
                fits = found.fits and _all_whole(found, config, guess, scan, text.path)
        except POLARS_ERRORS as error:
            # Of a full disk polars raises an error of its own.
            full = shutil.disk_usage(parquet.parent).free < _LEAST_FREE_BYTES
            if full or os.strerror(errno.ENOSPC) in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            log.debug("%s: %s does not fit: %s", config.path, guess, error)
        else:
            if not scan.found().utf8:
                raise NoUtf8
            if fits:
                return found
            log.debug("%s: %s does not fit: %s", config.path, guess, found)
            guess = replace(guess, fractions=found.fractions, dots=found.dots)
        if not guess.as_is and guess.quotes:
            return None
        # Once more, with nothing taken for granted.
        guess = replace(guess, as_is=frozenset(), quotes=True)


def _all_whole(found: Pass, config: FileConfig, guess: Guess, scan: ByteScan, path: Path) -> bool:
    """Tell whether every row has the header's number of fields, and quotes are as they should be.

    Where the last field of every row is there, none has too few; where there are no more
    separators than that takes, none has too many. Of a file with quotes polars says the latter,
    where it reads every column.
    """
    told, n_fields = scan.found(), len(guess.names)
    if guess.quotes:
        whole = found.whole or (not told.quotes and _each_whole(path, guess.separator, n_fields))
    else:
        n_separators = (found.readings.n_lines + 1) * (n_fields - 1)
        whole = found.whole and not told.quotes and told.n_separators == n_separators
    # Where bad lines are left out, each is looked at for itself.
    if whole and config.bad_lines is not BadLines.refuse and told.quotes:
        return _each_closed(path, guess.separator)
    return whole


def _read_once(path: Path, config: FileConfig, guess: Guess, parquet: Path) -> Pass:
    """Read every row, write those that are used to a Parquet file, and check them."""
    rows = with_raw(_scan(path, config, guess), guess.mapped, config, guess.as_is)
    lines = read_lines(rows, guess.mapped, guess.readings, config)
    good = delivered(lines, config, fractions=guess.fractions)
    sink = good.sink_parquet(parquet, compression=_COMPRESSION, lazy=True)
    asked = lines.frame.select(**_checks(lines, config, guess), **_facts(lines, guess))
    # One scan serves both; every branch more would cost a copy of all that passes by.
    _, found = pl.collect_all([sink, asked], engine="streaming")
    counted = found.row(0, named=True)
    roles = {column: role for role, column in guess.mapped.delivered.items()}
    # What the file has no column for is filled in, and never missing.
    missing = {
        column: counted[f"missing {roles[column]}"] if column in roles else 0
        for column in good.collect_schema().names()
    }
    return _judged(counted, missing, guess)


def _each_whole(path: Path, separator: str, n_fields: int) -> bool:
    """Tell whether every line of a file without quotes has so many fields, or is blank."""
    n_found = pl.col("line").str.count_matches(separator, literal=True)
    strange = (n_found != n_fields - 1) & (pl.col("line") != "")
    return not _as_lines(path).select(strange.any()).collect(engine="streaming").item()


def _each_closed(path: Path, separator: str) -> bool:
    """Tell whether quotes are around whole fields only, and closed in the line that opens them."""
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


def _sees_blanks(config: FileConfig) -> bool:
    """Tell whether a row of nothing but separators is a bad line, as where each is looked at."""
    return config.bad_lines is not BadLines.refuse


def _scan(path: Path, config: FileConfig, guess: Guess) -> pl.LazyFrame:
    """Open the file: text, but numbers that are taken as they stand."""
    used = {c: role for role, c in guess.mapped.columns.items() if role in guess.as_is}
    names = distinct(guess.names)
    whole = [name for name in names if used.get(name) in guess.whole]
    kinds: dict[str, pl.DataType] = dict.fromkeys(guess.mapped.roles(*NUMBERS), pl.Float64())
    kinds |= dict.fromkeys(guess.whole, pl.Int64())
    schema = {name: kinds.get(used.get(name, ""), pl.String()) for name in names}
    frame = pl.scan_csv(path, schema=schema, glob=False, separator=guess.separator, has_header=True)
    frame = frame.with_columns(pl.col(whole).cast(pl.Float64))
    if not guess.quotes or _sees_blanks(config) or len(names) > MAX_FILTERED:
        return frame
    # A line that is blank, or has nothing but separators, is no row.
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _checks(lines: Lines, config: FileConfig, guess: Guess) -> dict[str, pl.Expr]:
    """Return what is counted to see whether every row is as the guess says."""
    mapped, names, forms = guess.mapped, distinct(guess.names), guess.readings.forms
    ids = pl.col(raw(mapped.id_role))
    texts = [role for role in guess.as_is if mapped.uses[role] not in NUMBERS]
    dirt = [unclean(pl.col(mapped.columns[r]), mapped.uses[r], config) for r in texts]
    # Of a format that is given, any date will do.
    given = config.date_format is not None
    counts = [r for r, form in guess.readings.date_formats.items() if form in EPOCHS and not given]
    strange = [~plausible(lines.values[role]) for role in counts]
    read = {role: form for role, form in forms.items() if role not in guess.as_is}
    asked = {
        "n_rows": pl.len(),
        "n_last": pl.col(names[-1]).count(),
        "n_bad": lines.bad.sum(),
        "n_strange": pl.any_horizontal(pl.lit(value=False), *strange).sum(),
        "n_unclean": pl.any_horizontal(pl.lit(value=False), *dirt).sum(),
        "fractions": lines.is_fraction.any(),
        "n_dots": ids.str.contains(".", literal=True).sum(),
        **{f"currency {r}": _currencies(raw(r)) for r, form in read.items() if not form.plain},
    }
    if config.decimal is Decimal.auto:
        # Whether the decimal mark is as clear as in the sample.
        asked |= {
            f"marks {role}": pl.struct(marks(pl.col(raw(role)), plain=form.plain))
            for role, form in read.items()
        }
    if guess.dots:
        asked["ids"] = id_counts(ids)
    if guess.quotes:
        # polars sees a field too many only where it reads every column.
        asked |= {f"count of {name}": pl.col(name).count() for name in names}
    if _sees_blanks(config):
        asked["n_blank"] = pl.all_horizontal(pl.col(names).is_null()).sum()
    return asked


def _currencies(name: str) -> pl.Expr:
    return currency(pl.col(name)).drop_nulls().unique().implode()


def _facts(lines: Lines, guess: Guess) -> dict[str, pl.Expr]:
    """Return what is told of the rows."""
    asked = {f"missing {role}": value.null_count() for role, value in lines.values.items()}
    if (date := guess.mapped.date_role) is not None:
        day = lines.values[date].drop_nulls().dt.date().alias("day")
        asked["days"] = day.value_counts(name="n").implode()
    if guess.busiest is not None:
        asked["n_busiest"] = (lines.values[guess.mapped.id_role] == guess.busiest).sum()
    return asked


def _judged(checks: Mapping[str, Any], missing: Mapping[str, int], guess: Guess) -> Pass:
    n_rows, readings = checks["n_rows"], guess.readings
    ids = id_forms(checks["ids"]) if guess.dots else {}
    ids_fit = ids["whole_ids"] == readings.whole_ids if guess.dots else not checks["n_dots"]
    counts = ("n_bad", "n_unclean", "n_blank", "n_strange")
    fits = (
        n_rows > 0
        and ids_fit
        and not any(checks.get(name) for name in counts)
        and bool(checks["fractions"]) == guess.fractions
        and all(is_clear(found) for name, found in checks.items() if name.startswith("marks "))
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
        "copies": dict(duplicates.UNKNOWN),
        "n_bad": {},
        "days": per_day(days.struct.unnest()),
        "busiest": None if guess.busiest is None else [guess.busiest, checks["n_busiest"]],
    }
    found = replace(readings, forms=forms, n_lines=n_rows, **ids)
    fractions, dots = bool(checks["fractions"]), checks["n_dots"] > 0
    return Pass(fits, checks["n_last"] == n_rows, fractions, dots, found, surveyed)
