"""Rows from a file: open, find the columns, find how they are read, sort out, look over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import (
    BadLines,
    ColumnKind,
    Copies,
    FileConfig,
    RecordsConfig,
    TransactionsConfig,
)
from segrun.data.datasets import copies, plausible
from segrun.data.datasets.account import Account, currencies, delivered, facts, how, id_facts, tell
from segrun.data.datasets.columns import Mapped, Use
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.lines import Lines, read_lines, records, transactions
from segrun.data.datasets.opening import open_source
from segrun.data.datasets.policy import Sorted, sort_out
from segrun.data.datasets.readings import NUMBERS, Readings, find_readings, with_raw, without_raw
from segrun.data.datasets.rows import ID_COLUMN, Rows
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import POLARS_ERRORS, Table
from segrun.data.datasets.textfile import Utf8File
from segrun.data.datasets.unique import check_one_per_id
from segrun.data.datasets.used import find


@dataclass(frozen=True)
class _Opened:
    """A file with its settings and the columns that are used."""

    config: FileConfig
    source: Source
    table: Table
    mapped: Mapped
    copied: Mapping[str, Any]

    @property
    def id_type(self) -> str | None:
        """The type of the id's column."""
        return self.table.type_of(self.mapped.columns[self.mapped.id_role])


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
        The content of a text file, where it lies unpacked in that folder already.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    table: Table
    if text is None:
        table = open_source(config, source, folder)
    else:
        table = CsvTable(text, config.path, config.separator, folder)
    mapped = find(config, table.names, table.frame)
    table.check_used(mapped.columns.values())
    used = [mapped.columns[role] for role in mapped.roles(*NUMBERS)]
    table.hold_numbers(used, config.decimal, config.missing)
    if config.date_format is None:
        table.hold_dates([mapped.columns[r] for r in mapped.roles(Use.date)], config.missing)

    def lines(rows: pl.LazyFrame) -> Lines:
        # Pieces of the UCI data are whole.
        whole = not isinstance(config, TransactionsConfig | RecordsConfig)
        return read_lines(rows, mapped, readings, whole_quantities=whole)

    def numbered() -> pl.LazyFrame:
        return with_raw(table.numbered(), mapped, config)

    if config.bad_lines is BadLines.refuse:
        rows = with_raw(table.frame(), mapped, config)
    else:
        rows = numbered()
    rows = _kept(rows, table)
    readings = find_readings(table, rows, mapped, config)
    found = lines(rows)
    found = replace(found, frame=_kept(found.frame, table))
    kept = sort_out(table, found, config, folder, lambda: lines(numbered()))
    copied = copies.find(kept.lines, mapped, config, readings.n_lines)
    if config.duplicates is Copies.drop:
        kept = replace(kept, lines=copied.without(kept.lines))
    if isinstance(config, RecordsConfig) and config.one_per_id:
        check_one_per_id(table, kept.lines, config, lambda: lines(numbered()))
    return _delivered(_Opened(config, source, table, mapped, copied.facts), kept, readings)


def _delivered(opened: _Opened, kept: Sorted, readings: Readings) -> Rows:
    """Look the rows over, say what they are like, and return them with what identifies them."""
    config, source, table = opened.config, opened.source, opened.table
    if isinstance(config, RecordsConfig):
        good = records(kept.lines, config.id)
        dates = [name for name, kind in config.columns.items() if kind is ColumnKind.date]
        keys: tuple[str, str | None] = config.id, dates[0] if dates else None
    else:
        good = transactions(kept.lines, fractions=kept.fractions)
        keys = ID_COLUMN, "InvoiceDate"
    own = without_raw(kept.lines.frame)
    surveyed = plausible.survey(good, keys) | {"copies": dict(opened.copied)}
    account = Account(
        how(table.facts, readings), surveyed, currencies(readings), dict(kept.n_bad),
        facts(config, kept.n_bad, surveyed, readings, own.collect_schema())
        | {"names": dict(opened.mapped.names), **id_facts(opened.id_type, readings)},
        dict(table.facts), opened.mapped.id_name,
    )  # fmt: skip
    tell(config, account, kept.quarantine)
    return delivered(config, source, good, account, quarantine=kept.quarantine)


def _kept(rows: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Return the rows of a small table from memory: later passes take a tenth of the time."""
    if not table.small:
        return rows
    try:
        return rows.collect(engine="streaming").lazy()
    except POLARS_ERRORS as error:
        raise table.explain(error) from error
