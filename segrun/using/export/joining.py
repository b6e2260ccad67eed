"""A table of somebody's own, whose columns are added to the rows that are exported."""

from __future__ import annotations

import polars as pl

from segrun.config import any_file
from segrun.data.cache import cache_directory
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.quoting import listed
from segrun.data.datasets.read import KEY, open_original
from segrun.data.datasets.table import Table
from segrun.errors import DataError
from segrun.nearest import did_you_mean

#: What stands behind a name that the rows have already.
SUFFIX = "_joined"


def table_rows(path: str, column: str) -> pl.DataFrame:
    """Return the rows of any table and, as `KEY`, the ids that one of its columns holds.

    Raises
    ------
    DataError
        If the table cannot be read, lacks the column, or has an id twice.
    """

    def find(table: Table) -> Mapped:
        if column not in table.names:
            raise DataError(
                f"--on {column}: {path} has no such column.{did_you_mean(column, table.names)} "
                f"Its columns: {listed(table.names)}"
            )
        return Mapped({"customer": column}, column)

    with open_original(any_file(path), find, cache_directory(), typed=False) as original:
        found = original.frame.collect(engine="streaming").filter(pl.col(KEY).is_not_null())
    twice = found.filter(pl.col(KEY).is_duplicated())
    if len(twice):
        raise DataError(
            f"--join {path}: {column} has {twice[KEY].n_unique()} ids more than once, such as "
            f"{twice[KEY][0]}, which would multiply rows. Keep one row for each"
        )
    return found


def joined(rows: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the columns of a table for their customer.

    Names that both have get ``_joined`` behind.

    Raises
    ------
    DataError
        If a name with ``_joined`` behind is there already.
    """
    both = [name for name in other.columns if name != KEY and name in rows.columns]
    taken = [name for name in both if name + SUFFIX in {*rows.columns, *other.columns}]
    if taken:
        raise DataError(
            f"the column {taken[0]} of the joined table would be called {taken[0]}{SUFFIX}, as "
            "the rows have one of its name, but that name is taken too: rename one of them in the "
            "joined table"
        )
    return rows.join(other, on=KEY, how="left", maintain_order="left", suffix=SUFFIX)


def told_matches(rows: pl.DataFrame, other: pl.DataFrame, path: str, column: str) -> str:
    """Say how many customers of the rows a table knows.

    Raises
    ------
    DataError
        If it is none: the ids are written otherwise there.
    """
    asked = rows[KEY].drop_nulls().unique(maintain_order=True)
    n_found = asked.is_in(other[KEY].implode()).sum()
    if not n_found:
        theirs = f" {other[KEY][0]!r}" if len(other) else ", which has none"
        raise DataError(
            f"--join {path}: none of {len(asked)} customers is in its column {column}: the run has "
            f"ids such as {asked[0]!r}, the table{theirs}. Write them alike, or choose another --on"
        )
    return f"{n_found} of {len(asked)} customers found in {path}"
