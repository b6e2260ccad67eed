"""The query of a dataset: run once, its rows left as files, and these as a table."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path

import polars as pl

from segrun.config import FileConfig
from segrun.data.datasets.parquet import FrameTable, scan
from segrun.data.datasets.quoting import clipped
from segrun.data.datasets.source import FileKind, Source
from segrun.data.datasets.sql.address import Address, address_of, check, statement
from segrun.data.datasets.sql.result import Parts, Result
from segrun.errors import DataError
from segrun.formats import in_bytes
from segrun.progress import Flow

_Reader = Callable[[Address, str, Parts, int], Result]

log = logging.getLogger("segrun.data.datasets")


def fetch(config: FileConfig, folder: Path) -> Source:
    """Return the rows of a query as a source: Parquet files, one per batch."""
    check(config)
    assert config.query is not None
    address = address_of(config.path)
    started = time.monotonic()
    with Flow(f"reading {config.path}") as flow:
        parts = Parts(folder, flow)
        found = _reader(address)(address, statement(config.query), parts, config.batch_bytes)
    if not found.n_rows:
        raise DataError(f"dataset.query gives no rows: {config.query}")
    seconds = time.monotonic() - started
    size = in_bytes(found.n_bytes)
    log.info("%s: %d rows, %s in %.1f s", config.path, found.n_rows, size, seconds)
    files = tuple(
        Source(path, FileKind.parquet, path.stat().st_size, name=path.name) for path in parts.files
    )
    query = {"kind": address.kind, "query": config.query, **found.facts}
    return Source(folder, FileKind.query, found.n_bytes, files, result=found, query=query)


def _reader(address: Address) -> _Reader:
    # Late: a run needs one of them.
    from segrun.data.datasets.sql import duck, postgres, sqlite

    readers = {"postgresql": postgres.read, "sqlite": sqlite.read, "duckdb": duck.read}
    return readers[address.kind]


#: Size up to which the rows may be kept in memory, in the form that they came in.
_MAX_SMALL_BYTES = 100_000_000


def open_query(source: Source, name: str) -> QueryTable:
    """Open what `fetch` has left."""
    assert source.result is not None
    return QueryTable(source, source.result, name)


class QueryTable(FrameTable):
    """Rows of a query, in the order that they came in; `name` is its address, for messages."""

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
