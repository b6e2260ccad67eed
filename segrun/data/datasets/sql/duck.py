"""Queries of DuckDB files, opened so that nothing can be written in them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import polars as pl

from segrun import interrupt
from segrun.data.datasets.sql.address import Address, check_file
from segrun.data.datasets.sql.result import Parts, Result, RowsDigest, check_names
from segrun.errors import DataError

if TYPE_CHECKING:
    import duckdb

#: Rows that are looked at together once they are on disk.
_SLICE_ROWS = 100_000

#: What DuckDB itself may take, beyond which it uses the disk.
_MEMORY_BYTES = 1_000_000_000

_POLL_SECONDS = 0.2

#: How long an interrupted statement may take to end.
_GRACE_SECONDS = 5.0

_PLAIN = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR",
}  # fmt: skip
_TIMES = {"TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}
#: Numbers whose text says more than a float of 64 bits, or something else.
_EXACT = ("DECIMAL", "HUGEINT", "UHUGEINT", "UBIGINT", "FLOAT")
_TEXTS = ("ENUM", "UUID")


def read(address: Address, query: str, parts: Parts, batch_bytes: int) -> Result:  # noqa: ARG001
    """Run a query and let DuckDB itself write its rows."""
    with _connected(address) as connection:
        kinds = _described(connection, query)
        names = list(kinds)
        file = parts.next()
        columns = ", ".join(_column(name, kind) for name, kind in kinds.items())
        # The last line of the query may be a comment.
        copied = (
            f"COPY (SELECT {columns} FROM ({query}\n) AS asked) "  # noqa: S608 - one SELECT
            f"TO '{str(file).replace(chr(39), 2 * chr(39))}' (FORMAT parquet)"
        )
        _run(connection, copied)
        zone = connection.execute("SELECT current_setting('TimeZone')").fetchall()[0][0]
    digest, n_bytes = RowsDigest(), 0
    for batch in _slices(file):
        lines = batch.select(pl.struct(pl.all()).struct.json_encode()).to_series()
        digest.add(line.encode() for line in lines)
        size = int(batch.estimated_size())
        parts.show(batch.height, size)
        n_bytes += size
    strange = {name: kind for name, kind in kinds.items() if _is_strange(kind)}
    return Result(
        names, digest.n_rows, n_bytes, digest.sha256(names),
        exact=tuple(n for n, kind in kinds.items() if kind.startswith(_EXACT) and n not in strange),
        strange=strange,
        facts={"time_zone": zone} if any("ZONE" in kind for kind in kinds.values()) else {},
    )  # fmt: skip


@contextmanager
def _connected(address: Address) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that reads one file, and tell what DuckDB refuses."""
    try:
        # Late: an extra.
        import duckdb
    except ImportError as error:
        raise DataError(
            "dataset.path: DuckDB is not installed: pip install 'segrun[duckdb]'"
        ) from error

    check_file(address)
    settings: dict[str, Any] = {
        "memory_limit": f"{_MEMORY_BYTES // 1_000_000}MB",
        "autoinstall_known_extensions": "false",
    }
    try:
        connection = duckdb.connect(str(address.file), True, settings)
        yield connection
        # Otherwise it goes with its last user: to close it would wait for a statement that hangs.
        connection.close()
    except duckdb.Error as error:
        interrupt.check()
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"dataset.query at {address.url}: {said}") from error


def _described(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    """Return the columns of a query and their types, without running it."""
    import duckdb

    statements = connection.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise DataError("dataset.query must be one SELECT, or a table's name")
    found = connection.execute(f"DESCRIBE ({query}\n)").fetchall()
    check_names([row[0] for row in found])
    return {row[0]: row[1] for row in found}


def _is_strange(kind: str) -> bool:
    return kind not in _PLAIN | _TIMES and (
        not kind.startswith((*_EXACT, *_TEXTS)) or kind.endswith("]")
    )


def _column(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if kind in _PLAIN:
        return quoted
    return f"CAST({quoted} AS {'TIMESTAMP' if kind in _TIMES else 'VARCHAR'}) AS {quoted}"


def _run(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Run a statement that Ctrl-C stops."""
    ended, failed = Event(), list[BaseException]()

    def execute() -> None:
        try:
            connection.execute(statement)
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)
        finally:
            ended.set()

    # A daemon: DuckDB 2.0, interrupted at a bad moment, waits for its own tasks for ever.
    Thread(target=execute, daemon=True).start()
    try:
        while not ended.wait(_POLL_SECONDS):
            interrupt.check()
    except BaseException:
        connection.interrupt()
        if not ended.wait(_GRACE_SECONDS):
            # To take the thread down with Python ends in an abort: once all is cleaned up, go.
            atexit.register(os._exit, 130)
        raise
    if failed:
        raise failed[0]


def _slices(file: Path) -> Iterator[pl.DataFrame]:
    rows = pl.scan_parquet(file, glob=False)
    n_rows = rows.select(pl.len()).collect().item()
    for start in range(0, n_rows, _SLICE_ROWS):
        yield rows.slice(start, _SLICE_ROWS).collect()
