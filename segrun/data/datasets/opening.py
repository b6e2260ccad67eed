"""What `dataset.path` names, opened as a table by what is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segrun.config import FileConfig, RatingsFileConfig
from segrun.data.address import is_address
from segrun.data.datasets import triplets
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.frametable import open_excel
from segrun.data.datasets.joined import JoinedTable
from segrun.data.datasets.parquet import open_parquet
from segrun.data.datasets.source import Kind, Source, find
from segrun.data.datasets.sql import fetch, open_query
from segrun.data.datasets.table import Table
from segrun.data.datasets.textfile import as_utf8

#: Text and cells of all files together that may be kept in memory.
_MAX_SMALL_BYTES = 200_000_000


def find_source(config: FileConfig, folder: Path) -> Source:
    """Return what a configuration names: files, or the rows of a query, which are read now.

    Parameters
    ----------
    config : FileConfig
        Path or address, and query.
    folder : Path
        Where the rows of a query go.

    Raises
    ------
    DataError
        If it is not there, or cannot be read.
    """
    return fetch(config, folder) if is_address(config.path) else find(config.path)


def open_source(config: FileConfig, source: Source, folder: Path) -> Table:
    """Open a file, several as one table, or the rows of a query.

    Parameters
    ----------
    config : FileConfig
        How it is read; `path` is its name in messages.
    source : Source
        The file, or files.
    folder : Path
        Folder for temporary copies, its own.

    Raises
    ------
    DataError
        If one cannot be read, or several do not go together.
    StoreError
        If the copies cannot be written.
    """
    if source.kind is Kind.query:
        return open_query(source, config.path)
    if source.kind is Kind.parquet:
        return open_parquet(source, config.path)
    if not source.parts:
        return _open_one(config, source, folder)
    tables = []
    for place, part in enumerate(source.parts):
        inner = folder / f"part-{place}"
        inner.mkdir()
        tables.append(_open_one(replace(config, path=str(part.path)), part, inner))
    return JoinedTable(tables, source.parts, config.path, _MAX_SMALL_BYTES)


def _open_one(config: FileConfig, source: Source, folder: Path) -> Table:
    if source.kind is Kind.excel:
        return open_excel(source, config.path, config.sheet)
    if isinstance(config, RatingsFileConfig):
        return triplets.open_text(config, source, folder)
    text = as_utf8(source, config.encoding, folder)
    return CsvTable(text, config.path, config.separator, folder)
