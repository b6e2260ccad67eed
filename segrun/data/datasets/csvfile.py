"""CSV files: read as a whole by polars; row by row where a row is at fault."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TextIO

import polars as pl

from segrun.data.datasets.table import LINE, POLARS_ERRORS, Table, in_memory
from segrun.data.datasets.textfile import Utf8File, unwritable
from segrun.errors import DataError

_MAX_SMALL_BYTES = 200_000_000

#: A filter while the file is read costs as much as the square of the columns.
MAX_FILTERED = 200

#: In the order in which a tie is decided.
_SEPARATORS = (",", ";", "\t", "|")

_QUOTE = '"'

#: A row whose quoted field runs over more lines than this is taken for one with an open quote.
MAX_LINES = 100

_OPEN = "quotes are not closed, or not doubled inside a field"


class CsvTable(Table):
    """A CSV file whose rows are lines of text."""

    place = "line"

    def __init__(self, file: Utf8File, name: str, separator: str, folder: Path) -> None:
        self._path, self._name, self._folder = file.path, name, folder
        self._dialect = find_dialect(file.path, separator, name)
        self.names = self._dialect.names
        self.separator = self._dialect.separator
        self.facts = {"encoding": file.encoding}
        self.small = file.path.stat().st_size <= _MAX_SMALL_BYTES

    def without_header(self) -> CsvTable:
        """Return the same file with its first row for one like the others, columns by number."""
        table, separator = copy(self), self.separator
        table.names = [str(number) for number in range(1, len(self.names) + 1)]
        header = separator.join(table.names) + "\n"
        table._dialect = Dialect(separator, header, 0, table.names)
        return table

    @cached_property
    def _sieved(self) -> tuple[Path, dict[int, str]]:
        """A copy of the rows that are such, with their line numbers, and what the others lack."""
        path, faults = self._folder / "sieved.csv", {}
        try:
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.write(f"{LINE}{self.separator}{self._dialect.header.rstrip()}\n")
                for record in records(self._path, self._dialect):
                    if record.fault:
                        faults[record.line] = record.fault
                        continue
                    end = "" if record.text.endswith("\n") else "\n"
                    file.write(f"{record.line}{self.separator}{record.text}{end}")
        except OSError as error:
            raise unwritable(self._folder, error) from error
        return path, faults

    def frame(self) -> pl.LazyFrame:
        """Return every row of the file."""
        return self._scan(self._path, self.names)

    def numbered(self) -> pl.LazyFrame:
        """Return the rows that have the header's number of fields, with their line numbers."""
        path, _ = self._sieved
        rows = self._scan(path, [LINE, *self.names])
        return rows.with_columns(pl.col(LINE).cast(pl.Int64))

    def faults(self) -> Mapping[int, str]:
        """Return the rows that are none: line number and reason."""
        return self._sieved[1]

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield the rows that begin in these lines."""
        for record in records(self._path, self._dialect):
            if record.line in numbers:
                yield record.line, record.text.rstrip("\r\n")

    def check_rows(self) -> None:
        """Refuse the file if a row has not as many fields as the header."""
        if fault := self._first_fault():
            raise self._no_csv(fault)

    def explain(self, error: BaseException | None) -> DataError:
        """Name the first row that is none, or what polars says."""
        return self._no_csv(self._first_fault() or str(error).splitlines()[0])

    def _first_fault(self) -> str:
        found = next((r for r in records(self._path, self._dialect) if r.fault), None)
        return f"line {found.line}: {found.fault}" if found is not None else ""

    def _no_csv(self, fault: str) -> DataError:
        return DataError(
            f"dataset.path={self._name} is not a CSV file with as many fields in each row as in "
            f'the header, separated by {self.separator!r}, quoted with " (doubled '
            f"inside): {fault}. Mend it, export it again, or set dataset.bad_lines=skip or "
            "quarantine"
        )

    def _scan(self, path: Path, names: list[str]) -> pl.LazyFrame:
        """Open rows as text; `[` and `*` belong to the file's name."""
        dialect = self._dialect
        frame = pl.scan_csv(
            path, infer_schema=False, glob=False, separator=dialect.separator,
            # What was sieved has one of its own.
            has_header=dialect.header_lines > 0 or path != self._path,
        )  # fmt: skip
        try:
            found = frame.collect_schema().names()
        except POLARS_ERRORS as error:
            raise DataError(f"dataset.path={self._name} has no header: {error}") from error
        if len(found) == len(names):
            frame = frame.rename(dict(zip(found, distinct(names), strict=True)))
        if not self.small and len(found) > MAX_FILTERED:
            return frame
        frame = in_memory(frame, self)
        # A line that is blank, or has nothing but separators, is no row.
        return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def distinct(names: list[str]) -> list[str]:
    """Return names for a frame, which has none twice: repeated ones, which nobody uses, as new."""
    distinct = []
    for place, name in enumerate(names, start=1):
        shown = name
        while (shown in names and names.count(name) > 1) or shown in distinct:
            shown += f" (column {place})"
        distinct.append(shown)
    return distinct


@dataclass(frozen=True)
class Dialect:
    """How rows are written."""

    separator: str
    header: str
    header_lines: int
    names: list[str]


def find_dialect(utf8: Path, separator: str, name: str) -> Dialect:
    """Return how a file is written; its header decides, for it has no decimals."""
    n_lines, header = 0, ""
    with utf8.open(encoding="utf-8-sig", newline="\n") as file:
        for line in file:
            n_lines += 1
            header += line
            if not header.strip("\r\n"):
                header = ""
            # A quote that is still open goes on in the next line.
            elif header.count(_QUOTE) % 2 == 0 or n_lines > 100:
                break
    if not header:
        raise DataError(f"dataset.path={name} has no header: it holds nothing but blank lines")
    if "\0" in header:
        raise DataError(
            f"dataset.path={name} is no text: its first line has zero bytes. Name a CSV, Parquet "
            "or Excel file; for UTF-16 without a mark, set dataset.encoding=utf-16-le"
        )
    if separator == "auto":
        bare = "".join(header.split(_QUOTE)[::2])
        separator = max(_SEPARATORS, key=bare.count)
    try:
        names = next(csv.reader([header], delimiter=separator, strict=True))
    except csv.Error:
        names = header.strip("\r\n").split(separator)
    return Dialect(separator, header, n_lines, [n.strip() for n in names])


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file."""

    line: int
    text: str
    fault: str


def records(utf8: Path, dialect: Dialect) -> Iterator[Record]:
    """Yield every row below the header; blank lines are no rows."""
    n_fields = len(dialect.names)
    well_formed = _well_formed(dialect.separator)
    with utf8.open(encoding="utf-8-sig", newline="\n") as file:
        for _ in islice(file, dialect.header_lines):
            pass
        lines = _LineReader(file, dialect.header_lines)
        while text := lines.take():
            line = lines.number
            if not text.strip("\r\n"):
                continue
            if '"' not in text:
                yield Record(line, text, _count(text, dialect.separator, n_fields))
                continue
            whole = lines.rest_of(text)
            fault = _OPEN
            if well_formed.fullmatch(whole.rstrip("\r\n")):
                fault = _count(re.sub(r'"[^"]*"', "", whole), dialect.separator, n_fields)
            if fault and whole != text:
                # What looked like the rest of the row are rows of their own.
                lines.give_back(whole[len(text) :])
                whole, fault = text, _OPEN
            yield Record(line, whole, fault)


def _count(bare: str, separator: str, n_expected: int) -> str:
    n_fields = bare.count(separator) + 1
    return "" if n_fields == n_expected else f"{n_fields} fields, the header has {n_expected}"


def _well_formed(separator: str) -> re.Pattern[str]:
    """Return what matches a row; possessive, so that no row takes long."""
    letter = re.escape(separator)
    field = rf'(?:"(?:[^"]++|"")*+"|[^"{letter}]*+)'
    return re.compile(rf"{field}(?:{letter}{field})*+")


class _LineReader:
    """Lines of a file that can be given back."""

    def __init__(self, file: TextIO, n_before: int) -> None:
        self._file = file
        self._back: list[str] = []
        self.number = n_before

    def take(self) -> str:
        line = self._back.pop() if self._back else self._file.readline()
        self.number += bool(line)
        return line

    def give_back(self, text: str) -> None:
        # Not splitlines: it also splits at letters that end no line of a file.
        lines = [part for part in re.split(r"(?<=\n)", text) if part]
        self._back += reversed(lines)
        self.number -= len(lines)

    def rest_of(self, text: str) -> str:
        """Return `text` with the lines that an open quote in it takes in."""
        whole, n_quotes, n_lines = [text], text.count('"'), 1
        while n_quotes % 2 and n_lines < MAX_LINES and (line := self.take()):
            whole.append(line)
            n_quotes += line.count('"')
            n_lines += 1
        return "".join(whole)
