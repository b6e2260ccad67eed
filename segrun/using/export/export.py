"""From a finished run to rows with their segments; a table of somebody's own joined to them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segrun.config import any_file
from segrun.data.cache import cache_directory
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.quoting import listed
from segrun.data.datasets.read import KEY, open_original
from segrun.data.datasets.table import Table
from segrun.errors import ConfigError, DataError
from segrun.nearest import did_you_mean
from segrun.rundir.finished import FinishedRun
from segrun.segments.clustering import chosen_point
from segrun.using.export.members import (
    NAME,
    SEGMENT,
    members_now,
    read_members,
    refuse_replicas,
    told_since,
)
from segrun.using.export.rows import SUFFIX, customer_rows, input_rows, table_of, with_segments

if TYPE_CHECKING:
    from segrun.using.ingest.since import Now


def table_rows(path: str, column: str) -> pl.DataFrame:
    """Return the rows of any table and, as `KEY`, the ids that one of its columns holds."""

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
    """Say how many customers of the rows a table knows."""
    asked = rows[KEY].drop_nulls().unique(maintain_order=True)
    n_found = asked.is_in(other[KEY].implode()).sum()
    if not n_found:
        theirs = f" {other[KEY][0]!r}" if len(other) else ", which has none"
        raise DataError(
            f"--join {path}: none of {len(asked)} customers is in its column {column}: the run has "
            f"ids such as {asked[0]!r}, the table{theirs}. Write them alike, or choose another --on"
        )
    return f"{n_found} of {len(asked)} customers found in {path}"


_MAX_LETTERS = 40


@dataclass(frozen=True)
class ExportOptions:
    """Which rows are exported."""

    #: Slug of the grid point; None: that of the segments, else the selected one.
    point: str | None = None
    #: One row per customer with its features, instead of the rows of the input.
    customers: bool = False
    moved: str | None = None  #: Where the input file is now; None: where it was
    #: A table, and its column of the customers' ids, whose columns are added.
    join: str | None = None
    on: str | None = None
    #: What the columns ``segment`` and ``name`` are to be called.
    called: Mapping[str, str] = field(default_factory=dict)
    typed: bool = True  #: Whether dates and numbers that a CSV file holds as text become such


def rows(
    run: FinishedRun, asked: ExportOptions, current: Now | None
) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows that are asked for, each with the segment of its customer; what to tell."""
    point = chosen_point(run, asked.point)
    told = told_since(current, point, rows=not asked.customers)
    current = current if current is not None and current.since.point == point else None
    members = read_members(run, point) if current is None else members_now(current)
    if current is not None and current.customers is not None:
        found = table_of(current.customers)
    elif asked.customers:
        found = customer_rows(run, members)
    else:
        refuse_replicas(run, members)
        found = input_rows(run, asked.moved, typed=asked.typed)
    found = with_segments(found, members, asked.called)
    if asked.join is not None and asked.on is not None:
        other = table_rows(asked.join, asked.on)
        told.append(told_matches(found, other, asked.join, asked.on))
        found = joined(found, other)
    return found.drop(KEY), told


def split(frame: pl.DataFrame, file: Path, called: Mapping[str, str]) -> dict[Path, pl.DataFrame]:
    """Return the rows of each segment by the file that they go into.

    A name says number and name of the segment, in letters that every system takes: ``out.csv``
    becomes ``out-0-gift-shops.csv``; those in no segment go into ``out-none.csv``.
    """
    segment, name = called.get(SEGMENT, SEGMENT), called.get(NAME, NAME)
    found = {}
    for (number,), part in sorted(
        frame.partition_by(segment, as_dict=True, maintain_order=True).items(),
        key=lambda item: (item[0][0] is None, item[0][0]),
    ):
        words = ["none"] if number is None else [str(number), _slug(part[name][0])]
        stem = "-".join([file.stem, *(word for word in words if word)])
        found[file.with_name(stem + file.suffix)] = part
    return found


def _slug(name: str | None) -> str:
    plain = (
        unicodedata.normalize("NFKD", (name or "").casefold()).encode("ascii", "ignore").decode()
    )
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MAX_LETTERS].strip("-")


def read_called(text: str | None) -> dict[str, str]:
    """Read ``segment=cluster,name=cluster_labels``."""
    found: dict[str, str] = {}
    for part in text.split(",") if text else []:
        own, equals, name = part.partition("=")
        if own not in (SEGMENT, NAME) or not equals or not name:
            raise ConfigError(
                f"--as {text}: write segment=COLUMN, name=COLUMN or both with a comma"
            )
        found[own] = name
    return found
