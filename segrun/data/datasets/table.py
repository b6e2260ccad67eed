"""A file as a table: raw columns as they stand in it, and rows that can be found again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

import polars as pl

from segrun.config import Decimal
from segrun.errors import DataError

#: Column with the number of a row's line in the file; no header has this name by chance.
LINE = "line number of segrun"

#: Some malformed files make polars panic, which is no Exception.
POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


class Table(Protocol):
    """What each kind of file is opened as.

    Attributes
    ----------
    names : list of str
        The columns.
    place : {"line", "row"}
        What `LINE` counts.
    facts : mapping
        What identifies how the file was read (its encoding, its sheet).
    small : bool
        Whether the rows may be kept in memory.
    """

    names: list[str]
    place: str
    facts: Mapping[str, Any]
    small: bool

    def frame(self) -> pl.LazyFrame:
        """Return the rows, columns as they stand: text, or typed where the file has types."""

    def numbered(self) -> pl.LazyFrame:
        """Return the rows that can be read, with `LINE`; slower than `frame`."""

    def faults(self) -> Mapping[int, str]:
        """Return the rows that are not in `numbered`: line number and reason."""

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield line number and text of rows, as they stand in the file."""

    def spot(self, number: int) -> tuple[str, int]:
        """Return the file, empty where there is but one, and the number in it of a `LINE`."""

    def hold_numbers(self, columns: Collection[str], decimal: Decimal, missing: list[str]) -> None:
        """Keep numbers of these columns that are typed from being misread as texts."""

    def hold_dates(self, columns: Collection[str], missing: list[str]) -> None:
        """Write dates of these columns as such where the file has them as bare numbers."""

    def check_used(self, columns: Collection[str]) -> None:
        """Refuse columns of a type that its database has and that is nothing here."""

    def type_of(self, column: str) -> str | None:
        """Return the polars type that a column has in the file, None where that has no types."""

    def check_rows(self) -> None:
        """Refuse the file if a row has not all fields, which polars takes for missing ones."""

    def explain(self, error: BaseException | None) -> DataError:
        """Return what to say of a file that polars cannot read."""


def places(table: Table, numbers: Iterable[int]) -> str:
    """Return where rows are, for messages: ``line 3``, ``lines 3, 7``, ``2011-03.csv line 17``."""
    spots = [table.spot(number) for number in numbers]
    if any(file for file, _ in spots):
        return ", ".join(f"{file} {table.place} {number}" for file, number in spots)
    several = "s" if len(spots) > 1 else ""
    return f"{table.place}{several} {', '.join(str(number) for _, number in spots)}"


def counted(rows: pl.LazyFrame, value: pl.Expr, name: str) -> pl.DataFrame:
    """Return every value of a column, missing ones left out, and how often it comes, as `name`.

    Memory grows with the different values; with ``value_counts`` it does with the rows.
    """
    found = rows.select(value).drop_nulls()
    return found.group_by(pl.all()).len(name).collect(engine="streaming")
