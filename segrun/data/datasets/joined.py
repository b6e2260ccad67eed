"""Several files as one table: each opened by itself, their rows one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from segrun.config import Decimal
from segrun.data.datasets.quoting import listed
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import LINE, Table
from segrun.errors import DataError
from segrun.nearest import did_you_mean

#: `LINE` of a row is that in its file, and this for every file before: no file has so many lines.
_STRIDE = 2**40


class JoinedTable:
    """Tables of the same columns, one below the other.

    Parameters
    ----------
    tables : sequence of Table
        The files, opened.
    parts : sequence of Source
        Where they are, and the columns that their folders name.
    name : str
        Folder or glob as the user named it, for messages.
    max_bytes : int
        Size of all files up to which their rows may be kept in memory.
    """

    def __init__(
        self, tables: Sequence[Table], parts: Sequence[Source], name: str, max_bytes: int
    ) -> None:
        first = tables[0]
        self._tables, self._parts, self._name = tables, parts, name
        self.place = first.place
        self.names = [*first.names, *(key for key in parts[0].partition if key not in first.names)]
        self.facts: Mapping[str, Any] = _merged([table.facts for table in tables])
        self.small = all(t.small for t in tables) and sum(p.n_bytes for p in parts) <= max_bytes
        for table, part in zip(tables, parts, strict=True):
            check_columns(name, (parts[0].name, first.names), (part.name, table.names))
            table.small = self.small

    def frame(self) -> pl.LazyFrame:
        """Return the rows of all files."""
        return self._below([table.frame() for table in self._tables])

    def numbered(self) -> pl.LazyFrame:
        """Return the rows of all files that can be read, with their numbers."""
        shifted = (
            table.numbered().with_columns(pl.col(LINE) + place * _STRIDE)
            for place, table in enumerate(self._tables)
        )
        return self._below(list(shifted))

    def faults(self) -> Mapping[int, str]:
        """Return the rows of all files that cannot be read."""
        return {
            place * _STRIDE + number: reason
            for place, table in enumerate(self._tables)
            for number, reason in table.faults().items()
        }

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield rows as they stand in their files."""
        for place, table in enumerate(self._tables):
            own = {number % _STRIDE for number in numbers if number // _STRIDE == place}
            if own:
                for number, text in table.texts(own):
                    yield place * _STRIDE + number, text

    def spot(self, number: int) -> tuple[str, int]:
        """Return the file and the number of the line in it."""
        return self._parts[number // _STRIDE].name, number % _STRIDE

    def hold_numbers(self, columns: Collection[str], decimal: Decimal, missing: list[str]) -> None:
        """Keep the numbers of each file from being misread."""
        for table in self._tables:
            own = [column for column in columns if column in table.names]
            table.hold_numbers(own, decimal, missing)

    def hold_dates(self, columns: Collection[str], missing: list[str]) -> None:
        """Write the dates of each file as such."""
        for table in self._tables:
            table.hold_dates([column for column in columns if column in table.names], missing)

    def check_used(self, columns: Collection[str]) -> None:
        """Do nothing: files tell it by their schema."""

    def type_of(self, column: str) -> str | None:  # noqa: ARG002
        """Return nothing: files with types are one table without this."""
        return None

    def check_rows(self) -> None:
        """Refuse the first file with a row that has not all fields."""
        for table in self._tables:
            table.check_rows()

    def explain(self, error: BaseException | None) -> DataError:
        """Name the file with a row that is none, or what polars says."""
        try:
            self.check_rows()
        except DataError as found:
            return found
        return self._tables[0].explain(error)

    def _below(self, frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
        order = frames[0].collect_schema().names()
        own = (
            # A folder's name counts where its files have the column as well.
            frame.select(order).with_columns(
                **{key: pl.lit(value, dtype=pl.String) for key, value in part.partition.items()}
            )
            for frame, part in zip(frames, self._parts, strict=True)
        )
        return pl.concat(own)


def check_columns(name: str, first: tuple[str, list[str]], other: tuple[str, list[str]]) -> None:
    """Refuse a file whose columns are not those of the first one, in any order.

    Parameters
    ----------
    name : str
        Folder or glob as the user named it.
    first, other : tuple of (str, list of str)
        Name and columns of two files.

    Raises
    ------
    DataError
        Naming the files and the columns.
    """
    (one, names), (two, others) = first, other
    if Counter(names) == Counter(others):
        return
    lacking, more = [n for n in names if n not in others], [n for n in others if n not in names]
    if lacking:
        said = f"{two} lacks the column {listed(lacking)}, which {one} has"
    elif more:
        said = f"{two} has the column {listed(more)}, which {one} lacks"
    else:
        said = f"{two} and {one} have a column not as often as each other"
    near = did_you_mean(lacking[0], more) if lacking else ""
    raise DataError(
        f"dataset.path={name}: files that are one table have the same columns, but {said}.{near} "
        f"Columns of {two}: {listed(others)}. Rename them, or name fewer files"
    )


def _merged(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is said of every file; where it differs, all that is said."""
    keys = dict.fromkeys(key for fact in facts for key in fact)
    found = {key: sorted({str(fact[key]) for fact in facts if key in fact}) for key in keys}
    return {key: ", ".join(values) for key, values in found.items()}
