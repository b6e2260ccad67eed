"""The file of a state: one SQLite database, one transaction per batch."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segrun.errors import StoreError

STATE = "state.sqlite"

#: Written by another form of the tables, a state cannot be used.
_VERSION = 3

_TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE batches (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, file TEXT, "
    "fingerprint TEXT, ingested TEXT NOT NULL, n_lines INTEGER, n_dropped INTEGER, "
    "first_line TEXT, last_line TEXT, n_customers INTEGER, n_new INTEGER, n_moved INTEGER, "
    "facts TEXT NOT NULL)",
    "CREATE TABLE contents (fingerprint TEXT NOT NULL, batch INTEGER NOT NULL)",
    "CREATE INDEX contents_by_fingerprint ON contents (fingerprint)",
    "CREATE TABLE moves (batch INTEGER NOT NULL, is_new INTEGER NOT NULL, origin INTEGER, "
    "target INTEGER, n INTEGER NOT NULL)",
    "CREATE TABLE different (customer INTEGER NOT NULL, answer TEXT NOT NULL, value NOT NULL, "
    "PRIMARY KEY (customer, answer, value)) WITHOUT ROWID",
    "CREATE TABLE fit (content BLOB NOT NULL, id TEXT NOT NULL, label INTEGER NOT NULL)",
    "CREATE INDEX fit_by_content ON fit (content)",
)


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a state, or an empty one where there is none."""
    try:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    try:
        # A rollback journal: the state is one file between batches, on any file system. EXTRA:
        # what is committed outlives a power cut, too.
        for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "temp_store=MEMORY",
                       "cache_size=-65536"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        _check_version(connection, path)
        yield connection
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: {error}. What was ingested before stands; if the file is damaged, put back a "
            "copy, or remove it and ingest again"
        ) from error
    finally:
        connection.close()


def is_empty(connection: sqlite3.Connection) -> bool:
    """Tell whether there is no state yet."""
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == 0)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables that every state has."""
    for table in _TABLES:
        connection.execute(table)
    connection.execute(f"PRAGMA user_version={_VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make all changes of the body or, where it does not come to its end, none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # SQLite does so itself where the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def fact(connection: sqlite3.Connection, name: str, *, needed: bool = True) -> Any:
    """Return one of the plain values of a state; None for one that not every state has."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    if found is not None:
        return json.loads(found[0])
    if needed:
        raise sqlite3.DatabaseError(f"it has no {name}")
    return None


def set_fact(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Store a plain value."""
    connection.execute("REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        raise StoreError(
            f"{path} was written by another version of segrun (form {version}, here {_VERSION}): "
            "read it with that one, or remove it and ingest again"
        )


#: The customers of the last batch. CROSS JOIN: SQLite then goes through the batch and looks each
#: up, instead of going through all customers.
TOUCHED = "FROM touched t CROSS JOIN customers c ON c.id = t.id"


def source(*, touched: bool, condition: str = "1") -> str:
    """Return which customers are asked, `c`, and in which order."""
    return f"{TOUCHED if touched else 'FROM customers c'} WHERE {condition} ORDER BY c.id"


def quoted(name: str) -> str:
    """Return the name of a column as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
