"""The rows of a file as they stand in it, with the id that results call them by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import BadLines, FileConfig
from segrun.data.datasets.account import id_facts
from segrun.data.datasets.columns import Mapped, Use
from segrun.data.datasets.files import open_table
from segrun.data.datasets.lines import read_lines
from segrun.data.datasets.readings import NUMBERS, find_readings, raw, with_raw
from segrun.data.datasets.table import LINE, Table

#: Column of the id as results have it, beside the file's own.
KEY = "segrun: id in results"


@dataclass(frozen=True)
class Original:
    """The rows of a file.

    Attributes
    ----------
    frame : LazyFrame
        Its own columns as they stand, text or typed, and `KEY` (text); every row that has a value.
    numbers : list of str
        Columns that were text and are float64 now.
    sha256 : str
        Digest of their content.
    id_column : str
        The file's own column of the id.
    ids : mapping
        What is told of the ids; see `id_type`.
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

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    with open_table(config, cache) as (table, source):
        mapped = find(table)
        table.check_used(mapped.columns.values())
        if typed:
            used = [mapped.columns[role] for role in mapped.roles(*NUMBERS)]
            table.hold_numbers(used, config.decimal, config.missing)
        if config.date_format is None:
            table.hold_dates([mapped.columns[r] for r in mapped.roles(Use.date)], config.missing)
        clean = config.bad_lines is BadLines.refuse
        own = table.frame() if clean else table.numbered()
        rows = with_raw(own, mapped, config)
        readings = find_readings(table, rows, mapped, config)
        lines = read_lines(rows, mapped, readings, whole_quantities=False)
        frame = lines.frame.with_columns(lines.values[mapped.id_role].alias(KEY))
        read = {
            column: lines.values[role]
            for role, column in mapped.columns.items()
            if typed and (role in readings.forms or role in readings.date_formats)
        }
        frame = frame.with_columns(**read).select(pl.exclude(LINE, f"^{raw('.*')}$"))
        numbers = [c for c in read if frame.collect_schema()[c] == pl.Float64]
        column = mapped.columns[mapped.id_role]
        told = id_facts(table.type_of(column), readings)
        yield Original(frame, numbers, source.sha256, column, told)
