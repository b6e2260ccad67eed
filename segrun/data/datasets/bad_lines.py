"""What happens to lines that cannot be read: refused, left out, or kept apart."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from segrun.config import BadLines, FileConfig, RecordsConfig
from segrun.data.datasets.columns import RECORD_ID
from segrun.data.datasets.lines import Lines
from segrun.data.datasets.quoting import clipped, quoted
from segrun.data.datasets.table import LINE, POLARS_ERRORS, Table, places
from segrun.data.datasets.textfile import unwritable
from segrun.errors import DataError

_N_SHOWN, _N_IDS_SHOWN = 5, 3


@dataclass(frozen=True)
class GoodLines:
    """Lines that can be read, and what became of the others.

    Attributes
    ----------
    lines : Lines
        Those that can be read.
    fractions : bool
        Whether some quantities have fractions.
    n_bad : mapping of str to int
        Number of bad lines by what is wrong with them.
    quarantine : Path or None
        CSV with (file,) line, reason and text of every bad line.
    """

    lines: Lines
    fractions: bool
    n_bad: Mapping[str, int]
    quarantine: Path | None = None


def sort_out(
    table: Table, lines: Lines, config: FileConfig, folder: Path, numbered: Callable[[], Lines]
) -> GoodLines:
    """Treat the bad lines of a table as the configuration says.

    Lines have their numbers unless bad ones are refused; `numbered` returns the same lines with
    their numbers, to say where bad ones are. The quarantine file goes to `folder`.
    """
    n_lines, n_unread, fractions = _count(table, lines)
    refuse = config.bad_lines is BadLines.refuse
    structural = {} if refuse else table.faults()
    n_bad = n_unread + len(structural)
    if not n_bad:
        return GoodLines(lines, fractions, {})
    reasons = {**structural, **_reasons(numbered() if refuse else lines)}
    if refuse or 2 * n_bad > n_lines + len(structural):
        raise DataError(_refusal(table, reasons, n_lines + len(structural), config))
    kept = replace(lines, frame=lines.frame.filter(~lines.bad))
    path = None
    if config.bad_lines is BadLines.quarantine:
        path = folder / "quarantine.csv"
        _write(path, table, reasons)
    return GoodLines(kept, fractions, dict(Counter(map(_kind, reasons.values()))), path)


def _count(table: Table, lines: Lines) -> tuple[int, int, bool]:
    try:
        found = lines.frame.select(
            n_lines=pl.len(),
            n_unread=lines.bad.sum(),
            fractions=(~lines.bad & lines.is_fraction).any(),
        ).collect(engine="streaming")
    except POLARS_ERRORS as error:
        raise table.explain(error) from error
    n_lines, n_unread, fractions = found.row(0)
    return n_lines, n_unread, fractions


def _reasons(lines: Lines) -> dict[int, str]:
    unread = lines.frame.filter(lines.bad).select(LINE, **lines.faults).sort(LINE).collect()
    reasons = {}
    for row in unread.iter_rows(named=True):
        role = next(role for role in lines.faults if row[role] is not None)
        column, what = lines.expected[role]
        reasons[row[LINE]] = f"{clipped(column)} is {quoted(row[role])}, not {what}"
    return reasons


def _kind(reason: str) -> str:
    """Return what is wrong without the value that differs from line to line."""
    column, said, _ = reason.partition(" is ")
    return column if said else "not as many fields as the header, or wrong quotes"


def _refusal(table: Table, bad: Mapping[int, str], n_lines: int, config: FileConfig) -> str:
    shown = "; ".join(f"{places(table, [n])}: {bad[n]}" for n in sorted(bad)[:_N_SHOWN])
    more = f"; and {len(bad) - _N_SHOWN} more" if len(bad) > _N_SHOWN else ""
    said = (
        f"dataset.path={config.path}: {len(bad)} of {n_lines} lines cannot be read: {shown}{more}"
    )
    if 2 * len(bad) > n_lines:
        return f"{said}. So many are no accident: look at columns, dates, decimals and separator"
    return (
        f"{said}. Mend them, or leave them out with dataset.bad_lines=skip (counted) or quarantine "
        "(counted and kept in quarantine.csv)"
    )


def _write(path: Path, table: Table, reasons: Mapping[int, str]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            several = any(table.spot(number)[0] for number in reasons)
            writer.writerow([*(["file"] if several else []), table.place, "reason", "text"])
            for number, text in table.texts(reasons.keys()):
                name, own = table.spot(number)
                writer.writerow([*([name] if several else []), own, reasons[number], text])
    except OSError as error:
        raise unwritable(path.parent, error) from error


def check_one_per_id(
    table: Table, lines: Lines, config: RecordsConfig, numbered: Callable[[], Lines]
) -> None:
    """Refuse a table in which an id is missing, or comes twice, naming ids and lines."""
    key = lines.values[RECORD_ID]
    found = lines.frame.group_by(key.alias("id")).len("n").collect(engine="streaming")
    twice = found.filter(pl.col("n") > 1, pl.col("id").is_not_null())
    n_nameless = int(found.filter(pl.col("id").is_null())["n"].sum())
    if n_nameless:
        where = _where(table, numbered(), key.is_null())
        raise DataError(
            f"dataset.path={config.path}: {n_nameless} rows have no {config.id}, such as "
            f"{where}: give every row its id, or take them out"
        )
    if not twice.is_empty():
        shown = [
            f"{quoted(text)} ({_where(table, numbered(), key == text)})"
            for text in twice["id"].sort().head(_N_IDS_SHOWN)
        ]
        raise DataError(
            f"dataset.path={config.path}: {len(twice)} ids come more than once, such as "
            f"{'; '.join(shown)}. A table has one row per {config.id}; for several rows per id, "
            "dataset=records features=aggregate"
        )


def _where(table: Table, lines: Lines, condition: pl.Expr) -> str:
    found = lines.frame.filter(condition).select(LINE).sort(LINE).collect()
    return places(table, found[LINE].head(_N_IDS_SHOWN))
