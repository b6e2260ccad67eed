"""What `dataset.path` names, opened as a table by what is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from segrun.config import FileConfig, Header, RatingsFileConfig
from segrun.data.address import is_address
from segrun.data.cache.directory import remove_leftovers
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.excel import open_excel
from segrun.data.datasets.parquet import ParquetTable
from segrun.data.datasets.source import FileKind, Source, find
from segrun.data.datasets.sql import fetch, open_query
from segrun.data.datasets.table import JoinedTable, Table
from segrun.data.datasets.textfile import as_utf8, unwritable

#: Text and cells of all files together that may be kept in memory.
_MAX_SMALL_BYTES = 200_000_000

#: Separates the fields of MovieLens before 2014; no letter that polars can take for a separator.
_DOUBLE = "::"

_NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?")


@contextmanager
def open_table(config: FileConfig, cache: Path) -> Iterator[tuple[Table, Source]]:
    """Open a file as it stands; copies that this needs last as long as the context."""
    with temporary_folder(cache) as folder:
        source = find_source(config, folder)
        yield open_source(config, source, folder), source


@contextmanager
def temporary_folder(cache: Path) -> Iterator[Path]:
    """Make a folder for copies, and remove it at the end."""
    remove_leftovers(cache, "reading")
    try:
        temporary = TemporaryDirectory(dir=cache, prefix=f"reading-{os.getpid()}-")
    except OSError as error:
        raise unwritable(cache, error) from error
    with temporary as folder:
        yield Path(folder)


def find_source(config: FileConfig, folder: Path) -> Source:
    """Return the files that a configuration names, or the rows of its query, put in `folder`."""
    return fetch(config, folder) if is_address(config.path) else find(config.path)


def open_source(config: FileConfig, source: Source, folder: Path) -> Table:
    """Open a file, several as one table, or the rows of a query; `folder` is for copies."""
    if source.kind is FileKind.query:
        return open_query(source, config.path)
    if source.kind is FileKind.parquet:
        return ParquetTable(source, config.path)
    if not source.parts:
        return _open_one(config, source, folder)
    tables = []
    for place, part in enumerate(source.parts):
        inner = folder / f"part-{place}"
        inner.mkdir()
        tables.append(_open_one(replace(config, path=str(part.path)), part, inner))
    return JoinedTable(tables, source.parts, config.path, _MAX_SMALL_BYTES)


def _open_one(config: FileConfig, source: Source, folder: Path) -> Table:
    if source.kind is FileKind.excel:
        return open_excel(source, config.path, config.sheet)
    text = as_utf8(source, config.encoding, folder)
    if not isinstance(config, RatingsFileConfig):
        return CsvTable(text, config.path, config.separator, folder)
    separator = config.separator
    if separator == _DOUBLE or (separator == "auto" and _DOUBLE in _first_line(text.path)):
        text, separator = replace(text, path=_tabbed(text.path, folder)), "\t"
    table = CsvTable(text, config.path, separator, folder)
    return table if _has_header(config.header, table.names) else table.without_header()


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        return next((line for line in file if line.strip()), "")


def _has_header(asked: Header, names: list[str]) -> bool:
    if asked is not Header.auto:
        return asked is Header.present
    # No column is called 196.
    return not any(_NUMBER.fullmatch(name) for name in names)


def _tabbed(path: Path, folder: Path) -> Path:
    copy = folder / "tabbed.csv"
    try:
        with path.open("rb") as file, copy.open("wb") as out:
            out.writelines(map(_with_tabs, file))
    except OSError as error:
        raise unwritable(folder, error) from error
    return copy


def _with_tabs(line: bytes) -> bytes:
    # Quotes mean nothing in such files: titles begin with them.
    if b'"' in line or b"\t" in line:
        fields = line.rstrip(b"\r\n").replace(b'"', b'""').split(b"::")
        return b"\t".join(b'"%s"' % field for field in fields) + b"\n"
    return line.replace(b"::", b"\t")
