"""A sample of a large text file: its head and pieces from all over it, and how they are read.

What it tells is a guess: `onepass` looks whether every row of the file fits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from segrun.config import BadLines, Decimal, FileConfig
from segrun.data.datasets.columns import NUMBERS, Mapped, find
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.dates import only_order
from segrun.data.datasets.numbers import glance
from segrun.data.datasets.read import Detected, detect
from segrun.data.datasets.readings import Readings, raw, unclean
from segrun.data.datasets.textfile import Utf8File

#: Whose share of the sample's rows is less has not half of the file's.
_BUSY = 0.4

#: Where so many numbers of a sample tell their decimal mark, the others of the file do not turn
#: it: of the whole file one in fifty is enough.
_TELLING = 0.2


@dataclass(frozen=True)
class Sampling:
    """How much of a file is looked at before it is read: some 100,000 rows of a hundred bytes."""

    n_pieces: int = 20
    piece_bytes: int = 2**19


@dataclass(frozen=True)
class Guess:
    """How a file seems to be read.

    Attributes
    ----------
    names : list of str
        Its columns.
    separator : str
        The letter between two fields.
    mapped : Mapped
        The columns that are used.
    readings : Readings
        How they are read; `n_lines` is the sample's.
    as_is : frozenset of str
        Roles whose values need no cleaning: the CSV parser itself reads numbers among them.
    whole : frozenset of str
        Those of `as_is` with numbers that have no point: 1.234 may be a thousand and more.
    fractions : bool
        Whether some quantities have fractions.
    dots : bool
        Whether some ids have a point in them.
    quotes : bool
        Whether there are quotes.
    busiest : str or None
        The id that may have half of the rows.
    """

    names: list[str]
    separator: str
    mapped: Mapped
    readings: Readings
    as_is: frozenset[str]
    whole: frozenset[str]
    fractions: bool
    dots: bool
    quotes: bool
    busiest: str | None


def take(path: Path, copy: Path, sampling: Sampling) -> None:
    """Copy the head of a text file, and whole lines from pieces evenly spread over the rest."""
    n_bytes = path.stat().st_size
    n_pieces, piece_bytes = sampling.n_pieces, sampling.piece_bytes
    with path.open("rb") as file, copy.open("wb") as sample:
        if n_bytes <= n_pieces * piece_bytes:
            sample.write(file.read())
            return
        for number in range(n_pieces):
            file.seek(number * (n_bytes - piece_bytes) // max(n_pieces - 1, 1))
            piece = file.read(piece_bytes)
            first = piece.find(b"\n") + 1 if number else 0
            lines = piece[first : piece.rfind(b"\n") + 1]
            # A line with one quote may stand inside of a field that has several.
            if not number or all(line.count(b'"') % 2 == 0 for line in lines.split(b"\n")):
                sample.write(lines)


def guess(config: FileConfig, text: Utf8File, folder: Path) -> Guess | None:
    """Return how a sample is read, None where it does not tell for the rest of the file."""
    table = CsvTable(text, config.path, config.separator, folder)
    mapped = find(config, table.names, table.frame)
    found = detect(table, mapped, replace(config, bad_lines=BadLines.refuse))
    if not _settled(found):
        return None
    lines, readings = found.lines, found.readings
    ids = lines.values[mapped.id_role]
    bad, fractions, dots, busiest = (
        lines.frame.select(
            bad=lines.bad.any(),
            fractions=lines.is_fraction.any(),
            dots=pl.col(raw(mapped.id_role)).str.contains(".", literal=True).any(),
            busiest=ids.drop_nulls().mode().min(),
        )
        .collect()
        .row(0)
    )
    if bad:
        return None
    n_busiest = lines.frame.select((ids == pl.lit(busiest, dtype=pl.String)).sum())
    is_busy = n_busiest.collect().item() > _BUSY * readings.n_lines
    as_is, whole = _as_is(found)
    return Guess(
        table.names, table.separator, mapped, readings, as_is, whole, bool(fractions), bool(dots),
        b'"' in text.path.read_bytes(), busiest if is_busy else None,
    )  # fmt: skip


def _settled(found: Detected) -> bool:
    """Tell whether the dates of the whole file can only be read as those of the sample."""
    if found.config.date_format is not None:
        return True
    for role, date_format in found.readings.date_formats.items():
        dates = pl.col(raw(role)).drop_nulls().alias("text")
        values = dates.value_counts(name="count").struct.unnest()
        counted = found.lines.frame.select(values).collect()
        if counted.is_empty() or not only_order(counted, date_format, found.config.date_order):
            return False
    return True


def _as_is(found: Detected) -> tuple[frozenset[str], frozenset[str]]:
    """Return `Guess.as_is` and `Guess.whole`."""
    rows, mapped, config = found.lines.frame, found.mapped, found.config
    roles = [
        role
        for role in mapped.columns
        if mapped.uses[role] not in NUMBERS
        or (found.readings.forms[role].plain and not _has_numbers(config.missing))
    ]
    asked = {
        role: unclean(pl.col(mapped.columns[role]), mapped.uses[role], config).any()
        for role in roles
    }
    is_unclean = rows.select(**asked).collect().row(0, named=True)
    clean = {role for role in roles if not is_unclean[role]}
    if config.decimal is not Decimal.auto:
        return frozenset(clean), frozenset()
    whole = set()
    for role in clean.intersection(mapped.roles(*NUMBERS)):
        counts = rows.select(glance(pl.col(raw(role)))).collect().row(0, named=True)
        if not counts["marked"]:
            whole.add(role)
        elif counts["marked"] - counts["grouped"] < _TELLING * counts["given"]:
            # Every number of the file is looked at.
            clean.remove(role)
    return frozenset(clean), frozenset(whole)


def _has_numbers(missing: list[str]) -> bool:
    """Tell whether a missing value may be written as a number, such as -1."""
    numbers = pl.Series(missing, dtype=pl.String).cast(pl.Float64, strict=False)
    return bool(numbers.is_finite().any())
