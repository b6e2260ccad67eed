"""A file as a table: raw columns as they stand in it, and rows that can be found again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from segrun.config import FileConfig
from segrun.data.datasets.quoting import listed
from segrun.data.datasets.source import Source
from segrun.errors import DataError
from segrun.nearest import did_you_mean

#: Column with the number of a row's line in the file; no header has this name by chance.
LINE = "line number of segrun"

#: Some malformed files make polars panic, which is no Exception.
POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

#: `LINE` of a row is that in its file, and this for every file before: no file has so many lines.
_STRIDE = 2**40


class Table:
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
        raise NotImplementedError

    def numbered(self) -> pl.LazyFrame:
        """Return the rows that can be read, with `LINE`; slower than `frame`."""
        raise NotImplementedError

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield line number and text of rows, as they stand in the file."""
        raise NotImplementedError

    def explain(self, error: BaseException | None) -> DataError:
        """Return what to say of a file that polars cannot read."""
        raise NotImplementedError

    def faults(self) -> Mapping[int, str]:
        """Return the rows that are not in `numbered`: line number and reason."""
        return {}

    def spot(self, number: int) -> tuple[str, int]:
        """Return the file, empty where there is but one, and the number in it of a `LINE`."""
        return "", number

    def hold(self, numbers: Collection[str], dates: Collection[str], config: FileConfig) -> None:
        """Write typed values so that, as texts, they are not misread; text needs nothing."""

    def check_used(self, columns: Collection[str]) -> None:
        """Refuse columns of a type that its database has and that is nothing here."""

    def type_of(self, column: str) -> str | None:  # noqa: ARG002
        """Return the polars type that a column has in the file, None where that has no types."""
        return None

    def check_rows(self) -> None:
        """Refuse the file if a row has not all fields, which polars takes for missing ones."""


class JoinedTable(Table):
    """Several files of the same columns as one table, one below the other."""

    def __init__(
        self, tables: Sequence[Table], parts: Sequence[Source], name: str, max_bytes: int
    ) -> None:
        first = tables[0]
        self._tables, self._parts = tables, parts
        self.place = first.place
        self.names = [*first.names, *(key for key in parts[0].partition if key not in first.names)]
        self.facts = _merged([table.facts for table in tables])
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

    def hold(self, numbers: Collection[str], dates: Collection[str], config: FileConfig) -> None:
        """Write the values of each file so that they are not misread."""
        for table in self._tables:
            own = set(table.names)
            table.hold([c for c in numbers if c in own], [c for c in dates if c in own], config)

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
    """Refuse a file whose columns are not those of the first one; each is name and columns."""
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


def in_memory(rows: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Return the rows of a small table from memory: later passes take a tenth of the time."""
    if not table.small:
        return rows
    try:
        return rows.collect(engine="streaming").lazy()
    except POLARS_ERRORS as error:
        raise table.explain(error) from error
