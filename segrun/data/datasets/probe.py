"""A probe of a large file: its head and pieces from all over it, and how they are read.

What the probe tells is a guess: `onepass` looks whether every row of the file fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from segrun.config import Decimal, FileConfig
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.dates import only_order
from segrun.data.datasets.lines import read_lines
from segrun.data.datasets.numbers import glance
from segrun.data.datasets.readings import NUMBERS, Readings, find_readings, raw, unclean, with_raw
from segrun.data.datasets.textfile import Utf8File
from segrun.data.datasets.used import find

#: Some 100,000 rows of a hundred bytes.
N_PIECES, PIECE_BYTES = 20, 2**19

#: Whose share of the probe's rows is less has not half of the file's.
_BUSY = 0.4

#: Where so many numbers of a probe tell their decimal mark, the others of the file do not turn
#: it: of the whole file one in fifty is enough.
_TELLING = 0.2


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
        How they are read; `n_lines` is the probe's.
    as_is : frozenset of str
        Roles whose values need no cleaning.
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


def take(path: Path, copy: Path, n_pieces: int = N_PIECES, piece_bytes: int = PIECE_BYTES) -> None:
    """Copy the head of a text file, and whole lines from pieces evenly spread over the rest.

    Parameters
    ----------
    path : Path
        The file.
    copy : Path
        Where the probe goes.
    n_pieces, piece_bytes : int
        The number of pieces and the size of each.
    """
    n_bytes = path.stat().st_size
    with path.open("rb") as file, copy.open("wb") as probe:
        if n_bytes <= n_pieces * piece_bytes:
            probe.write(file.read())
            return
        for number in range(n_pieces):
            file.seek(number * (n_bytes - piece_bytes) // max(n_pieces - 1, 1))
            piece = file.read(piece_bytes)
            first = piece.find(b"\n") + 1 if number else 0
            lines = piece[first : piece.rfind(b"\n") + 1]
            # A line with one quote may stand inside of a field that has several.
            if not number or all(line.count(b'"') % 2 == 0 for line in lines.split(b"\n")):
                probe.write(lines)


def guess(config: FileConfig, text: Utf8File, folder: Path) -> Guess | None:
    """Return how a probe is read, None where it does not tell for the rest of the file.

    Parameters
    ----------
    config : FileConfig
        What the user settled.
    text : Utf8File
        The probe of its content.
    folder : Path
        Folder for temporary copies.

    Raises
    ------
    DataError
        If the probe cannot be read.
    """
    table = CsvTable(text, config.path, config.separator, folder)
    mapped = find(config, table.names, table.frame)
    rows = with_raw(table.frame(), mapped, config).collect().lazy()
    readings = find_readings(table, rows, mapped, config)
    if not _settled(rows, readings, config):
        return None
    lines = read_lines(rows, mapped, readings, whole_quantities=False)
    ids = lines.values[mapped.id_role]
    quantity = pl.lit(1.0) if lines.quantity is None else lines.quantity
    found = lines.frame.select(
        bad=lines.bad.any(),
        fractions=(quantity != quantity.round()).any(),
        dots=pl.col(raw(mapped.id_role)).str.contains(".", literal=True).any(),
        busiest=ids.drop_nulls().mode().min(),
    ).collect()
    told = found.row(0, named=True)
    if told["bad"]:
        return None
    one = pl.lit(told["busiest"], dtype=pl.String)
    n_busiest = lines.frame.select((ids == one).sum()).collect().item()
    as_is, whole = _as_is(rows, mapped, readings, config)
    return Guess(
        table.names, table.separator, mapped, readings, as_is, whole,
        bool(told["fractions"]), bool(told["dots"]), b'"' in text.path.read_bytes(),
        told["busiest"] if n_busiest > _BUSY * readings.n_lines else None,
    )  # fmt: skip


def _settled(rows: pl.LazyFrame, readings: Readings, config: FileConfig) -> bool:
    """Tell whether the dates of the whole file can only be read as those of the probe."""
    if config.date_format is not None:
        return True
    for role, found in readings.date_formats.items():
        dates = pl.col(raw(role)).drop_nulls().alias("text")
        counted = rows.select(dates.value_counts(name="count").struct.unnest()).collect()
        if counted.is_empty() or not only_order(counted, found, config.date_order):
            return False
    return True


def _as_is(
    rows: pl.LazyFrame, mapped: Mapped, readings: Readings, config: FileConfig
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the roles whose values are all clean, and numbers as computers write them.

    And those of them that are read as whole numbers, since none of the probe has a point.
    """
    roles = [
        role
        for role in mapped.columns
        if mapped.uses[role] not in NUMBERS
        or (readings.forms[role].plain and not _has_numbers(config.missing))
    ]
    asked = {
        role: unclean(pl.col(mapped.columns[role]), mapped.uses[role], config).any()
        for role in roles
    }
    found = rows.select(**asked).collect().row(0, named=True)
    clean = {role for role in roles if not found[role]}
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
