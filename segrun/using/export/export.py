"""From a finished run to rows with their segments, in a file, several files or a database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segrun.data.datasets.read import KEY
from segrun.errors import ConfigError
from segrun.rundir.finished import FinishedRun
from segrun.segments.clustering import chosen_point
from segrun.using.export.joining import joined, table_rows, told_matches
from segrun.using.export.members import NAME, SEGMENT, read_members, refuse_replicas
from segrun.using.export.rows import customer_rows, input_rows, table_of, with_segments
from segrun.using.export.state import members_now, told_since

if TYPE_CHECKING:
    from segrun.using.ingest.since import Now

_MAX_LETTERS = 40


@dataclass(frozen=True)
class Asked:
    """Which rows are exported.

    Attributes
    ----------
    point : str or None
        Slug of the grid point; None: that of the segments, else the selected one.
    customers : bool
        One row per customer with its features, instead of the rows of the input.
    moved : str or None
        Where the input file is now; None: where it was.
    join, on : str or None
        A table, and its column of the customers' ids, whose columns are added.
    called : mapping of str to str
        What the columns ``segment`` and ``name`` are to be called.
    typed : bool
        Whether dates and numbers that a CSV file holds as text become such.
    """

    point: str | None = None
    customers: bool = False
    moved: str | None = None
    join: str | None = None
    on: str | None = None
    called: Mapping[str, str] = field(default_factory=dict)
    typed: bool = True


def rows(run: FinishedRun, asked: Asked, current: Now | None) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows that are asked for, each with the segment of its customer; what to tell.

    Parameters
    ----------
    run : FinishedRun
        The run.
    asked : Asked
        Which rows, and how.
    current : Now or None
        Everybody by now; None where nothing was ingested since the run.

    Raises
    ------
    StoreError
        If the run cannot give them, or its input is gone.
    DataError
        If a table cannot be read or joined.
    """
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
    """Read ``segment=cluster,name=cluster_labels``.

    Raises
    ------
    ConfigError
        If it says something else.
    """
    found: dict[str, str] = {}
    for part in text.split(",") if text else []:
        own, equals, name = part.partition("=")
        if own not in (SEGMENT, NAME) or not equals or not name:
            raise ConfigError(
                f"--as {text}: write segment=COLUMN, name=COLUMN or both with a comma"
            )
        found[own] = name
    return found
