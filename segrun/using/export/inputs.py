"""The tables that a run has read stay: no result takes their place, by whatever address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from segrun.data.address import is_address
from segrun.data.datasets.sql import Address, address_of, postgres, sqlite
from segrun.errors import DataError, StoreError
from segrun.rundir.finished import FinishedRun
from segrun.using.export.database import Target, connected
from segrun.using.export.targets import is_same


def queries_of(run: FinishedRun, moved: str | None) -> Mapping[str, str]:
    """Return the query of a run by each database that it is, or now can be, asked of."""
    dataset: Mapping[str, Any] = run.experiment["dataset"]
    query = dataset.get("query")
    places = [place for place in (dataset.get("path"), moved) if place and is_address(place)]
    return {} if query is None else dict.fromkeys(places, query)


def refuse_inputs(where: Target, queries: Mapping[str, str]) -> None:
    """Refuse to replace a table that a query reads, itself or behind a view.

    Parameters
    ----------
    where : Target
        Database and table.
    queries : mapping of str to str
        By address of the database.

    Raises
    ------
    StoreError
        If the table is read, or the database does not tell.
    """
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
