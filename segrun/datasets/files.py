"""Transactions from a file: open, find the columns, find how they are read, sort out, look over."""

from __future__ import annotations

import codecs
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import BadLines, FileConfig, RatingsFileConfig, TransactionsConfig
from segrun.datasets import columns, plausible, ratings, triplets
from segrun.datasets.csvfile import CsvTable
from segrun.datasets.dates import parse
from segrun.datasets.frametable import ExcelTable, open_excel, open_parquet
from segrun.datasets.lines import Lines, read_lines, transactions
from segrun.datasets.policy import Sorted, sort_out
from segrun.datasets.readings import NUMBERS, Readings, find_readings, with_raw, without_raw
from segrun.datasets.rows import Rows
from segrun.datasets.source import Kind, Source, find
from segrun.datasets.table import POLARS_ERRORS, Table
from segrun.datasets.textfile import unwritable
from segrun.datasets.transactions import Transactions
from segrun.errors import ConfigError

log = logging.getLogger("segrun.datasets")


def check(config: FileConfig) -> None:
    """Refuse settings that no file can satisfy.

    Raises
    ------
    ConfigError
        If Python does not know the encoding, the separator is no letter, the date format is
        none, dates would have a time zone, or the columns contradict each other.
    """
    if not config.path.strip():
        raise ConfigError("dataset.path is empty: name the file, dataset.path=FILE")
    if config.encoding != "auto":
        try:
            "x".encode(config.encoding)
        except (LookupError, ValueError):
            raise ConfigError(
                f"dataset.encoding={config.encoding!r} is unknown: use auto, utf-8, iso-8859-1, "
                "cp1252 or another of Python's names"
            ) from None
        codecs.lookup(config.encoding)
    known = ("auto", "::") if isinstance(config, RatingsFileConfig) else ("auto",)
    if config.separator not in known and (
        len(config.separator.encode()) != 1 or config.separator in '"\r\n'
    ):
        raise ConfigError(
            f"dataset.separator={config.separator!r} must be auto or one letter, such as ';' or "
            "a tab"
        )
    if config.date_format is not None:
        _check_date_format(config.date_format)
    if isinstance(config, TransactionsConfig):
        columns.check(config.columns)
    if isinstance(config, RatingsFileConfig):
        ratings.check(config)


def _check_date_format(date_format: str) -> None:
    if re.search(r"%[:#]*[zZ+]", date_format):
        raise ConfigError(
            f"dataset.date_format={date_format!r} reads a time zone, but weekdays and "
            "months are those of the shop: give dates in its local time"
        )
    try:
        parse(pl.Series(["12/1/2010 8:26"]), date_format)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"dataset.date_format={date_format!r} is no format: {str(error).splitlines()[0]}. "
            "Write it as '%m/%d/%Y %H:%M'; null lets segrun find it"
        ) from error


@contextmanager
def open_file(config: FileConfig, cache: Path) -> Iterator[Transactions | Rows]:
    """Open a file of transactions; copies that this needs last as long as the context.

    Parameters
    ----------
    config : FileConfig
        The file, how it is read and, for a TransactionsConfig, its columns.
    cache : Path
        Folder for the copies.

    Raises
    ------
    DataError
        If the file cannot be read.
    StoreError
        If the copies cannot be written.
    """
    source = find(config.path)
    with _folder(cache) as folder:
        if isinstance(config, RatingsFileConfig):
            yield ratings.read(config, source, folder)
        else:
            yield _read(config, source, folder)


@contextmanager
def open_table(config: FileConfig, cache: Path) -> Iterator[Table]:
    """Open a file as it stands, whatever its rows are about; see `open_file`."""
    source = find(config.path)
    with _folder(cache) as folder:
        yield _open(config, source, folder)


@contextmanager
def _folder(cache: Path) -> Iterator[Path]:
    """Make a folder for copies, and remove it at the end."""
    _remove_leftovers(cache)
    try:
        temporary = TemporaryDirectory(dir=cache, prefix=f"reading-{os.getpid()}-")
    except OSError as error:
        raise unwritable(cache, error) from error
    with temporary as folder:
        yield Path(folder)


def _remove_leftovers(cache: Path) -> None:
    """Remove the copies of readers that were killed."""
    import psutil

    for folder in cache.glob("reading-*"):
        owner = folder.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _read(config: FileConfig, source: Source, folder: Path) -> Transactions:
    table = _open(config, source, folder)
    if isinstance(config, TransactionsConfig):
        mapped = columns.find_mapped(config.columns, table.names, config.path)
        whole = False
    else:
        mapped, whole = columns.find_uci(table.names, config.path), True
    if isinstance(table, ExcelTable):
        used = [column for role, column in mapped.columns.items() if role in NUMBERS]
        table.hold_numbers(used, config.decimal, config.missing)

    def lines(rows: pl.LazyFrame) -> Lines:
        return read_lines(rows, mapped, readings, whole_quantities=whole)

    def numbered() -> pl.LazyFrame:
        return with_raw(table.numbered(), mapped, config)

    if config.bad_lines is BadLines.refuse:
        rows = with_raw(table.frame(), mapped, config)
    else:
        rows = numbered()
    rows = _kept(rows, table)
    readings = find_readings(table, rows, mapped, config)
    read = lines(rows)
    read = replace(read, frame=_kept(read.frame, table))
    kept = sort_out(table, read, config, folder, lambda: lines(numbered()))
    good = transactions(kept.lines, fractions=kept.fractions)
    found = plausible.survey(good, without_raw(kept.lines.frame), readings.n_lines)
    currencies = tuple(sorted({c for form in readings.forms.values() for c in form.currencies}))
    _tell(config.path, _how(table, readings), kept, found, currencies)
    fingerprint = {
        "source": config.name,
        "path": config.path,
        "n_bytes": source.n_bytes,
        "sha256": source.sha256,
        **table.facts,
    }
    facts = {
        **_facts(kept, found, readings),
        "currencies": list(currencies),
        "columns": {name: str(kind) for name, kind in table.frame().collect_schema().items()},
    }
    return Transactions(nw.from_native(good), mapped.id_name, fingerprint, facts, kept.quarantine)


def _kept(rows: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Return the rows of a small table from memory: later passes take a tenth of the time."""
    if not table.small:
        return rows
    try:
        return rows.collect(engine="streaming").lazy()
    except POLARS_ERRORS as error:
        raise table.explain(error) from error


def _open(config: FileConfig, source: Source, folder: Path) -> Table:
    if isinstance(config, RatingsFileConfig):
        return triplets.open_table(config, source, folder)
    if source.kind is Kind.parquet:
        return open_parquet(source, config.path)
    if source.kind is Kind.excel:
        return open_excel(source, config.path, config.sheet)
    return CsvTable(source, config.path, config.encoding, config.separator, folder)


def _facts(kept: Sorted, found: Mapping[str, Any], readings: Readings) -> dict[str, Any]:
    return {
        "n_read": found["n_lines"],
        "n_bad": dict(kept.n_bad),
        "n_missing": {name: n for name, n in found["missing"].items() if n},
        "n_copies": found["copies"],
        "date_format": readings.date_format,
        "decimals": {role: form.decimal.value for role, form in readings.forms.items()},
    }


def _how(table: Table, readings: Readings) -> str:
    how = [str(fact) for fact in table.facts.values()]
    how += [f"dates as {readings.date_format}"] if readings.date_format else []
    how += sorted({f"decimal {form.decimal.value}" for form in readings.forms.values()})
    how += [".0 behind ids left out"] if readings.whole_ids else []
    return ", ".join(how)


def _tell(
    path: str, how: str, kept: Sorted, found: Mapping[str, Any], currencies: tuple[str, ...]
) -> None:
    log.info("%s: %d lines read (%s)", path, found["n_lines"], how)
    for line in plausible.page(found, currencies):
        log.info("  %s", line)
    if kept.n_bad:
        reasons = ", ".join(f"{n} for {reason}" for reason, n in kept.n_bad.items())
        where = ", kept in quarantine.csv" if kept.quarantine else ""
        log.warning("%d bad lines left out%s: %s", sum(kept.n_bad.values()), where, reasons)
    for surprise in plausible.surprises(found, currencies, datetime.now()):
        log.warning("%s", surprise)
