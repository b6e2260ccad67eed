"""Queries of PostgreSQL, by COPY: read-only, one statement, stopped on the server by Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from segrun.data.datasets.sql.address import Address, statement
from segrun.data.datasets.sql.result import Parts, Result, RowsDigest, check_names
from segrun.errors import DataError

if TYPE_CHECKING:
    import psycopg

#: What a row looks like on its way, whatever the server's settings. A lock that somebody holds
#: for longer than this is an error.
_SETTINGS = (
    "SET LOCAL datestyle = 'ISO'", "SET LOCAL extra_float_digits = 1",
    "SET LOCAL lock_timeout = '60s'",
)  # fmt: skip
_CONNECT_SECONDS = 20

_TYPES: dict[str, pl.DataType] = {
    "boolean": pl.Boolean(), "smallint": pl.Int64(), "integer": pl.Int64(), "bigint": pl.Int64(),
    "oid": pl.Int64(), "real": pl.Float64(), "double precision": pl.Float64(), "date": pl.Date(),
    "timestamp without time zone": pl.Datetime("us"),
    "timestamp with time zone": pl.Datetime("us"),
}  # fmt: skip
_EXACT = "numeric"

#: Categories of pg_type: strings and enums; and types outside these that are texts to people.
_TEXTS = ("S", "E")
_TEXT_TYPES = ("uuid", "inet", "cidr", "macaddr", "money")

#: Behind a time with zone; what stands in front is what a clock in the session's zone said.
_ZONE = r"[+-]\d\d(:\d\d){0,2}$"


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


@dataclass(frozen=True)
class _Column:
    """A column of the result: its name, its type, and that type's category in pg_type."""

    name: str
    type: str
    category: str

    @property
    def strange(self) -> bool:
        known = self.type in _TYPES or self.type == _EXACT or self.type in _TEXT_TYPES
        return not known and self.category not in _TEXTS


def read(address: Address, query: str, parts: Parts, batch_bytes: int) -> Result:
    """Run a query and write its rows."""
    digest, n_bytes = RowsDigest(), 0
    with connected(address) as connection:
        columns = _described(connection, query)
        for batch in _batches(connection, query, digest, batch_bytes):
            n_bytes += len(batch)
            parts.write(_as_frame(batch, columns), len(batch))
        facts = _facts(connection, columns)
    return Result(
        names := [column.name for column in columns],
        digest.n_rows, n_bytes, digest.sha256(names),
        exact=tuple(column.name for column in columns if column.type == _EXACT),
        strange={column.name: column.type for column in columns if column.strange},
        facts=facts,
    )  # fmt: skip


@contextmanager
def connected(address: Address, *, read_only: bool = True) -> Iterator[psycopg.Connection]:
    """Give a connection in one transaction, never ended, and tell what the server refuses."""
    try:
        import psycopg
    except ImportError as error:
        raise DataError(
            "dataset.path: no driver for PostgreSQL: pip install 'segrun[postgres]'"
        ) from error

    try:
        connection = psycopg.connect(
            address.url, connect_timeout=_CONNECT_SECONDS, client_encoding="UTF8",
            application_name="segrun",
        )  # fmt: skip
    except psycopg.Error as error:
        raise DataError(
            f"dataset.path={address.url}: no connection: {_said(error)}. Look at host, port, "
            "database and user; a password comes from PGPASSWORD or ~/.pgpass"
        ) from error
    try:
        connection.read_only = read_only
        yield connection
    except psycopg.Error as error:
        raise DataError(f"dataset.query at {address.url}: {_said(error)}") from error
    except BaseException:
        # Ctrl-C, or a full disk: the server is to stop as well.
        with suppress(Exception):
            connection.cancel_safe(timeout=5)
        raise
    finally:
        connection.close()


def _said(error: psycopg.Error) -> str:
    """Return the first line of what the server says, and its hint."""
    said = error.diag.message_primary or next(iter(str(error).strip().splitlines()), "")
    hint = error.diag.message_hint
    return f"{said or type(error).__name__}{f' ({hint})' if hint else ''}"


def _described(connection: psycopg.Connection, query: str) -> list[_Column]:
    """Return the columns of a query: prepared, not run, which takes but one statement."""
    from psycopg import pq
    from psycopg.errors import error_from_result

    for setting in _SETTINGS:
        connection.execute(setting)
    for answer in (
        connection.pgconn.prepare(b"", query.encode()),
        found := connection.pgconn.describe_prepared(b""),
    ):
        if answer.status != pq.ExecStatus.COMMAND_OK:
            raise error_from_result(answer)
    types = [found.ftype(place) for place in range(found.nfields)]
    known = dict(_types(connection, types))
    names = [(found.fname(place) or b"").decode() for place in range(found.nfields)]
    check_names(names)
    return [_Column(name, *known[oid]) for name, oid in zip(names, types, strict=True)]


def _types(
    connection: psycopg.Connection, types: list[int]
) -> Iterator[tuple[int, tuple[str, str]]]:
    asked = "SELECT oid::int8, format_type(oid, NULL), typcategory::text FROM pg_type"
    for oid, name, category in connection.execute(f"{asked} WHERE oid = ANY(%s)", [types]):
        yield oid, (name, category)


def _batches(
    connection: psycopg.Connection, query: str, digest: RowsDigest, batch_bytes: int
) -> Iterator[bytes]:
    """Yield rows as lines of CSV; of those that a batch holds, the digest knows."""
    # The last line of the query may be a comment.
    copying = f"COPY ({query}\n) TO STDOUT (FORMAT csv)".encode()
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        batch: list[bytes] = []
        n_bytes = 0
        for row in copy:
            batch.append(bytes(row))
            n_bytes += len(row)
            if n_bytes >= batch_bytes:
                digest.add(batch)
                yield b"".join(batch)
                batch, n_bytes = [], 0
        if batch:
            digest.add(batch)
            yield b"".join(batch)


def _as_frame(batch: bytes, columns: list[_Column]) -> pl.DataFrame:
    schema = {str(place): pl.String for place in range(len(columns))}
    try:
        texts = pl.read_csv(batch, has_header=False, schema=schema)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"dataset.query gives what is no UTF-8 ({error}): the database does not know the "
            "encoding of its texts. Convert them in the query: convert_from(TEXT::bytea, 'LATIN1')"
        ) from error
    found = [
        _typed(texts[str(place)], column).alias(column.name) for place, column in enumerate(columns)
    ]
    return pl.DataFrame(found)


def _typed(texts: pl.Series, column: _Column) -> pl.Series:
    """Return values in their type; texts where one has no such value here, as 'infinity'."""
    wanted = _TYPES.get(column.type)
    if wanted is None:
        return texts
    try:
        if wanted == pl.Boolean:
            return texts == "t"
        if wanted == pl.Date:
            return texts.str.to_date("%Y-%m-%d")
        if wanted == pl.Datetime:
            bare = texts.str.replace(_ZONE, "") if column.type.endswith("with time zone") else texts
            return bare.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us")
        return texts.cast(wanted)
    except pl.exceptions.PolarsError:
        return texts


def _facts(connection: psycopg.Connection, columns: list[_Column]) -> Mapping[str, Any]:
    if not any(column.type == "timestamp with time zone" for column in columns):
        return {}
    zone = connection.info.parameter_status("TimeZone")
    return {"time_zone": zone}


def tables_read(address: Address, query: str) -> Relations:
    """Return what a query of PostgreSQL reads; nothing stays there."""
    # Late: an extra.
    from psycopg import sql

    asked = sql.SQL("CREATE TEMP VIEW segrun_reads AS {}\n").format(sql.SQL(statement(query)))
    with connected(address, read_only=False) as connection:
        (database,) = connection.execute(IDENTITY).fetchone() or ("",)
        connection.execute(asked)
        oids = frozenset(row[0] for row in connection.execute(_RELATIONS))
        connection.rollback()
    return Relations(database, oids)
