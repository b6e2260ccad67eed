"""Queries of SQLite files, opened so that nothing can be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import polars as pl

from segrun import interrupt
from segrun.data.datasets.sql.address import Address, check_file, statement
from segrun.data.datasets.sql.result import Parts, Result, RowsDigest, check_names
from segrun.errors import DataError

_FIRST_ROWS = 1_000

#: Steps of SQLite's machine after which a Ctrl-C is looked for: some milliseconds.
_STEPS = 100_000

#: Above it, float64 does not hold every whole number.
_LARGEST_WHOLE = 2**53

#: What a query may do; SQLITE_RECURSIVE has no name before Python 3.12.
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, 33}


def read(address: Address, query: str, parts: Parts, batch_bytes: int) -> Result:
    """Run a query and write its rows."""
    digest, n_bytes, n_next = RowsDigest(), 0, _FIRST_ROWS
    strange: dict[str, str] = {}
    with connected(address) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        check_names(names)
        while rows := cursor.fetchmany(n_next):
            digest.add(repr(row).encode("utf-8", "surrogatepass") for row in rows)
            columns = dict(zip(names, zip(*rows, strict=True), strict=True))
            strange |= {name: "BLOB" for name, values in columns.items() if bytes in _kinds(values)}
            batch = pl.DataFrame([_series(name, values) for name, values in columns.items()])
            size = int(batch.estimated_size())
            parts.write(batch, size)
            n_bytes += size
            # A row takes some four times as much until it is in columns.
            n_next = min(max(1, batch_bytes * len(rows) // (4 * max(1, size))), 2 * n_next)
    return Result(names, digest.n_rows, n_bytes, digest.sha256(names), strange=strange)


@contextmanager
def connected(address: Address) -> Iterator[sqlite3.Connection]:
    """Give a connection that reads one file, and tell what SQLite refuses."""
    assert address.file is not None
    check_file(address)
    place = f"{address.file.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(place, uri=True)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(authorized)
            connection.set_progress_handler(_stopped, _STEPS)
            yield connection
    except (sqlite3.Error, sqlite3.Warning) as error:
        # What was stopped is an error to SQLite.
        interrupt.check()
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"dataset.query at {address.url}: {said}") from error


def authorized(action: int, *_: str | None) -> int:
    """Tell SQLite whether a query may do something."""
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _stopped() -> int:
    return int(interrupt.asked())


def _kinds(values: Sequence[Any]) -> set[type]:
    return set(map(type, values)) - {type(None)}


def _series(name: str, values: Sequence[Any]) -> pl.Series:
    """Return a column in the type that all of its values have: SQLite asks none of them."""
    kinds = _kinds(values)
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds == {int}:
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds == {float} or (
        kinds == {int, float} and all(v is None or abs(v) <= _LARGEST_WHOLE for v in values)
    ):
        floats = [None if value is None else float(value) for value in values]
        return pl.Series(name, floats, dtype=pl.Float64)
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def tables_read(address: Address, query: str) -> frozenset[str]:
    """Return the names, in small letters, of the tables and views that a query of SQLite reads."""
    found: set[str] = set()

    def note(action: int, name: str | None, *others: str | None) -> int:
        if action == sqlite3.SQLITE_READ and name:
            found.update(text.lower() for text in (name, others[-1]) if text)
        return authorized(action)

    with connected(address) as connection:
        connection.set_authorizer(note)
        # Compiled, not run.
        connection.execute(f"EXPLAIN {statement(query)}").close()
    return frozenset(found)
