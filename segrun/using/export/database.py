"""A table in a database, written in one transaction: whole, or as it was before."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from segrun import interrupt
from segrun.data.address import is_address
from segrun.data.datasets.sql import Address, address_of, postgres, sqlite
from segrun.errors import ConfigError, DataError, StoreError
from segrun.rundir.finished import FinishedRun
from segrun.using.export.files import check_flat
from segrun.using.export.targets import is_same

_BATCH = 50_000

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


@dataclass(frozen=True)
class Target:
    """Where a table goes."""

    url: sa.URL  #: The database
    table: str  #: The table
    schema: str | None = None  #: Its schema, where the database has them

    @property
    def file(self) -> Path | None:
        """The file of the database, None where it is a server."""
        name = self.url.database
        return Path(name) if self.url.get_backend_name() == "sqlite" and name else None

    def __str__(self) -> str:
        # Without what may be secret.
        plain = sa.URL.create(
            self.url.get_backend_name(), self.url.username, None, self.url.host, self.url.port,
            self.url.database,
        )  # fmt: skip
        name = f"{self.schema}.{self.table}" if self.schema else self.table
        return f"{plain.render_as_string()}, table {name}"


def target(text: str, table: str) -> Target:
    """Return where a table goes."""
    try:
        url = sa.make_url(text)
    except (SQLAlchemyError, ValueError):
        # The text may hold a password.
        raise ConfigError(
            "--to: this is no address of a database. Write sqlite:///FILE or "
            "postgresql://USER@HOST/DATABASE; letters such as @ in a password as %40"
        ) from None
    kind = url.drivername.partition("+")[0]
    if kind not in _DRIVERS:
        raise ConfigError(
            f"--to: databases of the kind {kind!r} were never tried: sqlite and postgresql were. "
            "Write a file, and load that"
        )
    if kind == "sqlite" and (url.database in (None, "", ":memory:") or url.query):
        raise ConfigError("--to sqlite: name a file and nothing behind it, sqlite:///FILE")
    schema, _, name = table.rpartition(".") if kind != "sqlite" else ("", "", table)
    if not name:
        raise ConfigError(f"--table {table!r} is no name of a table")
    return Target(url.set(drivername=_DRIVERS[kind]), name, schema or None)


def storable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose every column is of a type that databases have; the others as text."""
    others = [n for n, kind in frame.schema.items() if isinstance(_kind(kind), sa.Text)]
    return frame.with_columns(pl.col(others).cast(pl.String))


def _kind(kind: pl.DataType) -> Any:
    if isinstance(kind, pl.Datetime):
        return sa.DateTime(timezone=kind.time_zone is not None)
    if isinstance(kind, pl.Decimal):
        return sa.Numeric(kind.precision, kind.scale)
    if kind.is_integer():
        return sa.BigInteger()
    if kind.is_float():
        return sa.Double()
    others = {pl.Boolean(): sa.Boolean(), pl.Date(): sa.Date(), pl.Time(): sa.Time()}
    return others.get(kind, sa.Text())


def copy_rows(connection: sa.Connection, table: sa.Table, batches: Iterable[pl.DataFrame]) -> None:
    """Copy rows into a table: a thirtieth of the client's time that INSERT takes."""
    from psycopg import sql

    # It logs that a broken COPY cannot be ended, which the error says as well.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    # What is sent is UTF-8, whatever the server's database is in.
    connection.exec_driver_sql("SET LOCAL client_encoding TO 'UTF8'")
    names = [name for name in (table.schema, table.name) if name]
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(*names))
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in batches:
            interrupt.check()
            # Every text in quotes: nothing between two commas is null, "" is an empty text.
            text = batch.write_csv(include_header=False, quote_style="non_numeric")
            copy.write(text.encode())


def queries_of(run: FinishedRun, moved: str | None) -> Mapping[str, str]:
    """Return the query of a run by each database that it is, or now can be, asked of."""
    dataset: Mapping[str, Any] = run.experiment["dataset"]
    query = dataset.get("query")
    places = [place for place in (dataset.get("path"), moved) if place and is_address(place)]
    return {} if query is None else dict.fromkeys(places, query)


def refuse_inputs(where: Target, queries: Mapping[str, str]) -> None:
    """Refuse to replace a table that a query reads, itself or behind a view."""
    for place, query in queries.items():
        address = address_of(place)
        try:
            read = _reads(address, query, where)
        except DataError as error:
            raise StoreError(
                f"whether {where} is what the run has read cannot be told ({error}): choose "
                "another --table"
            ) from error
        if read:
            raise StoreError(
                f"{where} is read by the run's dataset.query, {query}, and stays: choose another "
                "--table"
            )


def _reads(address: Address, query: str, where: Target) -> bool:
    kind = where.url.get_backend_name()
    if address.kind != kind:
        return False
    if kind == "sqlite":
        one, other = where.file, address.file
        same = one is not None and other is not None and is_same(one, other)
        return same and where.table.lower() in sqlite.tables_read(address, query)
    relations = postgres.tables_read(address, query)
    with connected(where) as connection:
        database = connection.exec_driver_sql(postgres.IDENTITY).scalar_one()
        table = connection.dialect.identifier_preparer.format_table(
            sa.Table(where.table, sa.MetaData(), schema=where.schema)
        )
        oid = connection.exec_driver_sql("SELECT to_regclass(%s)::oid::int8", (table,)).scalar_one()
    return database == relations.database and oid in relations.oids


def write_table(frame: pl.DataFrame, where: Target, *, replace: bool) -> None:
    """Write rows as a new table, in one transaction.

    They go into a table of another name, which takes the place of the old one at the end, so that
    readers see the old one until then.
    """
    check_flat(frame, where)
    frame = storable(frame)
    with connected(where) as connection:
        exists = sa.inspect(connection).has_table(where.table, where.schema)
        if exists and not replace:
            raise StoreError(f"{where} exists: choose another --table, or --replace it")
        columns = [sa.Column(name, _kind(kind)) for name, kind in frame.schema.items()]
        new = sa.Table(f"segrun_new_{os.getpid()}", sa.MetaData(), *columns, schema=where.schema)
        new.create(connection)
        _fill(connection, new, frame)
        _check_count(connection, new, frame)
        old = sa.Table(where.table, sa.MetaData(), schema=where.schema)
        if exists:
            old.drop(connection)
        quote = connection.dialect.identifier_preparer
        connection.exec_driver_sql(
            f"ALTER TABLE {quote.format_table(new)} RENAME TO {quote.quote(where.table)}"
        )


def refuse_existing(where: Target) -> None:
    """Refuse a table that exists, before anything is read."""
    file = where.file
    if file is not None and not file.exists():
        return
    with connected(where) as connection:
        if sa.inspect(connection).has_table(where.table, where.schema):
            raise StoreError(f"{where} exists: choose another --table, or --replace it")


def _fill(connection: sa.Connection, new: sa.Table, frame: pl.DataFrame) -> None:
    if connection.dialect.name == "postgresql":
        copy_rows(connection, new, frame.iter_slices(_BATCH))
        return
    quote = connection.dialect.identifier_preparer
    marks = ", ".join("?" * frame.width)
    insert = f"INSERT INTO {quote.format_table(new)} VALUES ({marks})"  # noqa: S608 - quoted
    # Plain tuples: a quarter of the time of SQLAlchemy's dictionaries. Dates are texts, as it reads
    # them back.
    held = [
        pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M:%S%.6f"),
        pl.col(pl.Date, pl.Time).cast(pl.String),
        pl.col(pl.Decimal).cast(pl.Float64),
    ]
    for batch in frame.iter_slices(_BATCH):
        interrupt.check()
        connection.exec_driver_sql(insert, batch.with_columns(held).rows())


def _check_count(connection: sa.Connection, new: sa.Table, frame: pl.DataFrame) -> None:
    n_rows = connection.execute(sa.select(sa.func.count()).select_from(new)).scalar_one()
    if n_rows != frame.height:
        raise StoreError(f"{n_rows} of {frame.height} rows arrived")


@contextmanager
def connected(where: Target) -> Iterator[sa.Connection]:
    """Give a connection in one transaction; whatever fails is told without the password."""
    file = where.file
    is_new = file is not None and not file.exists()
    try:
        engine = sa.create_engine(where.url, poolclass=sa.NullPool)
        if where.url.get_backend_name() == "sqlite":
            _begin_itself(engine)
        with engine.begin() as connection:
            yield connection
    except BaseException as error:
        if is_new and file is not None:
            # An empty database is half a result.
            with suppress(OSError):
                file.unlink(missing_ok=True)
        if isinstance(error, StoreError) or not isinstance(error, Exception):
            raise
        raise StoreError(_told(error, where)) from None


def _begin_itself(engine: sa.Engine) -> None:
    """Let transactions of SQLite hold CREATE and DROP, before which Python would commit."""

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _told(error: Exception, where: Target) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{where}: no driver for PostgreSQL: pip install 'segrun[postgres]'"
    cause = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split())
    for secret in (where.url.password, where.url.query.get("password")):
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return f"{where} cannot be written: {text or type(cause).__name__}. What was there is as it was"
