"""The rows of a query as a table."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from segrun.config import FileConfig
from segrun.data.datasets.parquet import FrameTable, scan
from segrun.data.datasets.quoting import clipped
from segrun.data.datasets.source import Source
from segrun.data.datasets.sql.result import Result
from segrun.errors import DataError

#: Size up to which the rows may be kept in memory, in the form that they came in.
_MAX_SMALL_BYTES = 100_000_000


def open_query(source: Source, name: str) -> QueryTable:
    """Open what `fetch` has left."""
    assert source.result is not None
    return QueryTable(source, source.result, name)


class QueryTable(FrameTable):
    """Rows of a query, in the order that they came in.

    Parameters
    ----------
    source : Source
        Their files.
    result : Result
        Their columns.
    name : str
        The address as the user wrote it, for messages.
    """

    def __init__(self, source: Source, result: Result, name: str) -> None:
        rows = scan(source.parts, name, mixed=True)
        small = source.n_bytes <= _MAX_SMALL_BYTES
        super().__init__(rows, name, 1, small, {"format": source.query["kind"]})
        self._result = result

    def hold(self, numbers: Collection[str], dates: Collection[str], config: FileConfig) -> None:  # noqa: ARG002
        """Take decimal numbers for such, which as texts could be read otherwise."""
        exact = [column for column in numbers if column in self._result.exact]
        self._rows = self._rows.with_columns(pl.col(exact).cast(pl.Float64))

    def type_of(self, column: str) -> str | None:
        """Return the type of a column; of a decimal number it is not known."""
        return None if column in self._result.exact else super().type_of(column)

    def check_used(self, columns: Collection[str]) -> None:
        """Refuse columns of a type that is none of the three."""
        for column in columns:
            if column in self._result.strange:
                raise DataError(
                    f"dataset.query: the column {clipped(column)} holds "
                    f"{self._result.strange[column]}, not text, numbers or dates. Convert it in "
                    "the query, or name another column"
                )
