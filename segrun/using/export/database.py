"""A table in a database, written in one transaction: whole, or as it was before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from segrun import interrupt
from segrun.errors import ConfigError, StoreError
from segrun.using.export.copying import copy_rows
from segrun.using.export.tablefile import check_flat
from segrun.using.export.types import kinds, storable

_BATCH = 50_000

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


@dataclass(frozen=True)
class Target:
    """Where a table goes.

    Attributes
    ----------
    url : sqlalchemy.URL
        The database.
    table : str
        The table.
    schema : str or None
        Its schema, where the database has them.
    """

    url: sa.URL
    table: str
    schema: str | None = None

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
    """Return where a table goes.

    Raises
    ------
    ConfigError
        If the address is none, or of a database that was never tried.
    """
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


def write_table(frame: pl.DataFrame, where: Target, *, replace: bool) -> None:
    """Write rows as a new table, in one transaction.

    They go into a table of another name, which takes the place of the old one at the end, so that
    readers see the old one until then.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    where : Target
        Database and table.
    replace : bool
        Whether a table of this name may be replaced.

    Raises
    ------
    StoreError
        If the table exists and is not to be replaced, or anything fails: it then is as it was.
    DataError
        If a column holds what a database has no type for.
    """
    check_flat(frame, where)
    frame = storable(frame)
    with connected(where) as connection:
        exists = sa.inspect(connection).has_table(where.table, where.schema)
        if exists and not replace:
            raise StoreError(f"{where} exists: choose another --table, or --replace it")
        columns = [sa.Column(name, kind) for name, kind in kinds(frame).items()]
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
    """Refuse a table that exists, before anything is read.

    Raises
    ------
    StoreError
        If it does, or the database cannot be reached.
    """
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
    # Dates are texts, as SQLAlchemy reads them back.
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
