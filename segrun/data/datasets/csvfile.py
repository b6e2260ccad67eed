"""CSV files: read as a whole by polars; row by row where a row is at fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import Decimal
from segrun.data.datasets.dialect import find_dialect, headless
from segrun.data.datasets.records import records
from segrun.data.datasets.table import LINE, POLARS_ERRORS
from segrun.data.datasets.textfile import Utf8File, unwritable
from segrun.errors import DataError

_MAX_SMALL_BYTES = 200_000_000

#: A filter while the file is read costs as much as the square of the columns.
MAX_FILTERED = 200


class CsvTable:
    """A CSV file whose rows are lines of text.

    Parameters
    ----------
    file : Utf8File
        Its content.
    name : str
        The file as the user named it.
    separator : str
        As in the configuration, ``auto`` included.
    folder : Path
        Folder for temporary copies.
    """

    place = "line"

    def __init__(self, file: Utf8File, name: str, separator: str, folder: Path) -> None:
        self._path, self._name, self._folder = file.path, name, folder
        self._dialect = find_dialect(file.path, separator, name)
        self.names = self._dialect.names
        self.separator = self._dialect.separator
        self.facts: Mapping[str, Any] = {"encoding": file.encoding}
        self.small = file.path.stat().st_size <= _MAX_SMALL_BYTES
        self._faults: dict[int, str] | None = None

    def without_header(self) -> CsvTable:
        """Return the same file with its first row for one like the others, columns by number."""
        table = copy(self)
        table._dialect = headless(self._dialect)
        table.names = table._dialect.names
        return table

    @property
    def _sieved(self) -> Path:
        return self._folder / "sieved.csv"

    def frame(self) -> pl.LazyFrame:
        """Return every row of the file."""
        return self._scan(self._path, self.names)

    def numbered(self) -> pl.LazyFrame:
        """Return the rows that have the header's number of fields, with their line numbers."""
        self.faults()
        return self._scan(self._sieved, [LINE, *self.names]).with_columns(
            pl.col(LINE).cast(pl.Int64)
        )

    def faults(self) -> Mapping[int, str]:
        """Return the rows that are none, after one pass that copies all others."""
        if self._faults is None:
            self._faults = self._sieve()
        return self._faults

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield the rows that begin in these lines."""
        for record in records(self._path, self._dialect):
            if record.line in numbers:
                yield record.line, record.text.rstrip("\r\n")

    def spot(self, number: int) -> tuple[str, int]:
        """Return the number of the line."""
        return "", number

    def hold_numbers(self, columns: Collection[str], decimal: Decimal, missing: list[str]) -> None:
        """Do nothing: all is text."""

    def hold_dates(self, columns: Collection[str], missing: list[str]) -> None:
        """Do nothing: all is text."""

    def check_used(self, columns: Collection[str]) -> None:
        """Do nothing: all is text."""

    def type_of(self, column: str) -> str | None:  # noqa: ARG002
        """Return nothing: all is text."""
        return None

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
            f'the header, separated by {self._dialect.separator!r}, quoted with " (doubled '
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
        if self.small:
            try:
                frame = frame.collect(engine="streaming").lazy()
            except POLARS_ERRORS as error:
                raise self.explain(error) from error
        elif len(found) > MAX_FILTERED:
            return frame
        # A line that is blank, or has nothing but separators, is no row.
        return frame.filter(~pl.all_horizontal(pl.all().is_null()))

    def _sieve(self) -> dict[int, str]:
        faults: dict[int, str] = {}
        separator = self._dialect.separator
        try:
            with self._sieved.open("w", encoding="utf-8", newline="\n") as file:
                file.write(f"{LINE}{separator}{self._dialect.header.rstrip()}\n")
                for record in records(self._path, self._dialect):
                    if record.fault:
                        faults[record.line] = record.fault
                        continue
                    end = "" if record.text.endswith("\n") else "\n"
                    file.write(f"{record.line}{separator}{record.text}{end}")
        except OSError as error:
            raise unwritable(self._folder, error) from error
        return faults


def distinct(names: list[str]) -> list[str]:
    """Return names for a frame, which has none twice: repeated ones, which nobody uses, as new."""
    distinct = []
    for place, name in enumerate(names, start=1):
        shown = name
        while (shown in names and names.count(name) > 1) or shown in distinct:
            shown += f" (column {place})"
        distinct.append(shown)
    return distinct
