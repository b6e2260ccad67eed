"""Rows from a file: open, find the columns, find how they are read, sort out, look over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import BadLines, FileConfig, RecordsConfig
from segrun.data.datasets import duplicates
from segrun.data.datasets.account import FileFacts, account_of, deliver, id_facts, survey
from segrun.data.datasets.bad_lines import GoodLines, check_one_per_id, sort_out
from segrun.data.datasets.columns import NUMBERS, Mapped, Use, find
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.lines import Lines, delivered, read_lines
from segrun.data.datasets.opening import open_source, open_table
from segrun.data.datasets.readings import Readings, find_readings, raw, with_raw, without_raw
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import LINE, Table, in_memory
from segrun.data.datasets.textfile import Utf8File

#: Column of the id as results have it, beside the file's own.
KEY = "segrun: id in results"


@dataclass(frozen=True)
class Detected:
    """How a table is read, found over all of its rows, and its lines read so."""

    table: Table
    mapped: Mapped
    config: FileConfig
    readings: Readings
    lines: Lines

    def numbered(self) -> Lines:
        """Return the lines with their numbers, to say where some are."""
        rows = with_raw(self.table.numbered(), self.mapped, self.config)
        return read_lines(rows, self.mapped, self.readings, self.config)


def detect(table: Table, mapped: Mapped, config: FileConfig, *, typed: bool = True) -> Detected:
    """Find how a table is read; lines are numbered unless bad ones are refused.

    Without `typed`, numbers of a file that has types stay as they are.
    """
    table.check_used(mapped.columns.values())
    numbers = [mapped.columns[role] for role in mapped.roles(*NUMBERS)] if typed else []
    dates = [mapped.columns[role] for role in mapped.roles(Use.date)]
    table.hold(numbers, dates if config.date_format is None else [], config)
    own = table.frame() if config.bad_lines is BadLines.refuse else table.numbered()
    rows = in_memory(with_raw(own, mapped, config), table)
    readings = find_readings(table, rows, mapped, config)
    return Detected(table, mapped, config, readings, read_lines(rows, mapped, readings, config))


def read_strictly(
    config: FileConfig, table: Table, mapped: Mapped, folder: Path
) -> tuple[Detected, GoodLines]:
    """Read every row of a table for itself; bad ones are treated as the configuration says."""
    found = detect(table, mapped, config)
    lines = replace(found.lines, frame=in_memory(found.lines.frame, table))
    return found, sort_out(table, lines, config, folder, found.numbered)


def read(config: FileConfig, source: Source, folder: Path, text: Utf8File | None = None) -> Rows:
    """Read a file as its configuration says.

    Parameters
    ----------
    config : FileConfig
        A TransactionsConfig and a RecordsConfig have columns; without, they are the UCI data's.
    source : Source
        The file.
    folder : Path
        Folder for copies; what is returned reads from them.
    text : Utf8File, optional
        The content of a text file, where it is unpacked in that folder already.
    """
    table: Table
    if text is None:
        table = open_source(config, source, folder)
    else:
        table = CsvTable(text, config.path, config.separator, folder)
    mapped = find(config, table.names, table.frame)
    found, good = read_strictly(config, table, mapped, folder)
    copied, lines = duplicates.find(good.lines, mapped, config, found.readings.n_lines)
    if isinstance(config, RecordsConfig) and config.one_per_id:
        check_one_per_id(table, lines, config, found.numbered)
    rows = delivered(lines, config, fractions=good.fractions)
    names, date = mapped.delivered, mapped.date_role
    surveyed = survey(rows, names[mapped.id_role], None if date is None else names[date])
    surveyed |= {"copies": dict(copied), "n_bad": dict(good.n_bad)}
    id_type = table.type_of(mapped.columns[mapped.id_role])
    file = FileFacts(table.facts, without_raw(lines.frame).collect_schema(), id_type)
    account = account_of(config, mapped, found.readings, file, surveyed)
    return deliver(config, source, rows, account, quarantine=good.quarantine)


@dataclass(frozen=True)
class Original:
    """The rows of a file as they stand in it.

    Attributes
    ----------
    frame : LazyFrame
        Its own columns, text or typed, and `KEY` (text); every row that has a value.
    numbers : list of str
        Columns that were text and are float64 now.
    sha256 : str
        Digest of their content.
    id_column : str
        The file's own column of the id.
    ids : mapping
        What is told of the ids; see `id_facts`.
    """

    frame: pl.LazyFrame
    numbers: list[str]
    sha256: str
    id_column: str
    ids: Mapping[str, Any]


@contextmanager
def open_original(
    config: FileConfig, find: Callable[[Table], Mapped], cache: Path, *, typed: bool
) -> Iterator[Original]:
    """Open a file as it stands; copies that this needs last as long as the context.

    Parameters
    ----------
    config : FileConfig
        The file, and how it is read.
    find : callable
        Gives those of the file's columns that are read: the id, dates, numbers.
    cache : Path
        Folder for the copies.
    typed : bool
        Whether dates and numbers among these become such; otherwise a CSV file's are text.
    """
    with open_table(config, cache) as (table, source):
        mapped = find(table)
        found = detect(table, mapped, config, typed=typed)
        lines, readings = found.lines, found.readings
        frame = lines.frame.with_columns(lines.values[mapped.id_role].alias(KEY))
        values = {
            column: lines.values[role]
            for role, column in mapped.columns.items()
            if typed and (role in readings.forms or role in readings.date_formats)
        }
        frame = frame.with_columns(**values).select(pl.exclude(LINE, f"^{raw('.*')}$"))
        numbers = [c for c in values if frame.collect_schema()[c] == pl.Float64]
        id_column = mapped.columns[mapped.id_role]
        ids = id_facts(table.type_of(id_column), readings)
        yield Original(frame, numbers, source.sha256, id_column, ids)
