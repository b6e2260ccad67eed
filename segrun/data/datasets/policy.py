"""What happens to lines that cannot be read: refused, left out, or kept apart."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from segrun.config import BadLines, FileConfig
from segrun.data.datasets.lines import Lines
from segrun.data.datasets.quoting import clipped, quoted
from segrun.data.datasets.table import LINE, POLARS_ERRORS, Table, places
from segrun.data.datasets.textfile import unwritable
from segrun.errors import DataError

_N_SHOWN = 5


@dataclass(frozen=True)
class Sorted:
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
) -> Sorted:
    """Treat the bad lines of a table as the configuration says.

    Parameters
    ----------
    table : Table
        The file.
    lines : Lines
        Its lines; numbered unless bad ones are refused.
    config : FileConfig
        The policy.
    folder : Path
        Folder for the quarantine file.
    numbered : callable
        Returns the same lines with their numbers, to say where bad ones are.

    Raises
    ------
    DataError
        If there are bad lines and the policy refuses them, or most lines are bad.
    """
    n_lines, n_unread, fractions = _count(table, lines)
    refuse = config.bad_lines is BadLines.refuse
    structural = {} if refuse else table.faults()
    n_bad = n_unread + len(structural)
    if not n_bad:
        return Sorted(lines, fractions, {})
    bad = _bad(numbered() if refuse else lines)
    if refuse or 2 * n_bad > n_lines + len(structural):
        raise DataError(_refusal(table, {**structural, **bad}, n_lines + len(structural), config))
    reasons = {**structural, **bad}
    kept = replace(lines, frame=lines.frame.filter(~lines.bad))
    path = None
    if config.bad_lines is BadLines.quarantine:
        path = folder / "quarantine.csv"
        _write(path, table, reasons)
    return Sorted(kept, fractions, dict(Counter(map(_kind, reasons.values()))), path)


def _count(table: Table, lines: Lines) -> tuple[int, int, bool]:
    quantity = pl.lit(1.0) if lines.quantity is None else lines.quantity
    try:
        found = lines.frame.select(
            n_lines=pl.len(),
            n_unread=lines.bad.sum(),
            fractions=(~lines.bad & (quantity != quantity.round())).any(),
        ).collect(engine="streaming")
    except POLARS_ERRORS as error:
        raise table.explain(error) from error
    return int(found["n_lines"].item()), int(found["n_unread"].item()), found["fractions"].item()


def _bad(lines: Lines) -> dict[int, str]:
    unread = lines.frame.filter(lines.bad).select(LINE, **lines.faults).sort(LINE).collect()
    reasons = {}
    for row in unread.iter_rows(named=True):
        role = next(role for role in lines.faults if row[role] is not None)
        column, what = lines.wanted[role]
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
