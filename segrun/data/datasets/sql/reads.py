"""Which tables a query reads, by the word of its database: also those behind views."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from segrun.data.datasets.sql.address import Address, statement

#: Which server is running, and which of its databases this is.
IDENTITY = (
    "SELECT extract(epoch FROM pg_postmaster_start_time())::text || '/' || oid FROM pg_database "
    "WHERE datname = current_database()"
)

#: What a view is made of, through other views; partitions belong to their table, and it to them.
_RELATIONS = """
WITH RECURSIVE edges(one, other) AS (
    SELECT w.ev_class, d.refobjid FROM pg_rewrite w JOIN pg_depend d
    ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_class'::regclass
    UNION ALL SELECT inhparent, inhrelid FROM pg_inherits
    UNION ALL SELECT inhrelid, inhparent FROM pg_inherits
), found(oid) AS (
    SELECT 'pg_temp.segrun_reads'::regclass::oid
    UNION SELECT e.other FROM found f JOIN edges e ON e.one = f.oid
)
SELECT oid::int8 FROM found
"""


class Relations(NamedTuple):
    """Tables and views of a PostgreSQL database: which database, and their oids in it."""

    database: str
    oids: frozenset[int]


def in_postgres(address: Address, query: str) -> Relations:
    """Return what a query of PostgreSQL reads; nothing stays there."""
    # Late: an extra.
    from psycopg import sql

    from segrun.data.datasets.sql.postgres import connected

    asked = sql.SQL("CREATE TEMP VIEW segrun_reads AS {}\n").format(sql.SQL(statement(query)))
    with connected(address, read_only=False) as connection:
        (database,) = connection.execute(IDENTITY).fetchone() or ("",)
        connection.execute(asked)
        oids = frozenset(row[0] for row in connection.execute(_RELATIONS))
        connection.rollback()
    return Relations(database, oids)


def in_sqlite(address: Address, query: str) -> frozenset[str]:
    """Return the names, in small letters, of the tables and views that a query of SQLite reads."""
    from segrun.data.datasets.sql.sqlite import authorized, connected

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
