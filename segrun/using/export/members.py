"""Which customer is in which segment: as the run says, or as of now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from segrun.data.datasets.read import KEY
from segrun.errors import StoreError
from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import NOISE, segments_of

if TYPE_CHECKING:
    from segrun.using.ingest.since import Now


#: Members of the segments, beside their description.
MEMBERS = "segments/members.parquet"

REPLICA = "replica"
SEGMENT, NAME = "segment", "name"


def read_members(run: FinishedRun, point: str) -> pl.DataFrame:
    """Return every customer that was clustered, and with described segments those set aside."""
    if segments_of(run, point) is not None:
        found = with_key(run, pl.read_parquet(run.file(MEMBERS)))
        nowhere = (pl.col(SEGMENT) == NOISE) & (pl.col(NAME) == "")
        kept = [pl.when(~nowhere).then(pl.col(column)).alias(column) for column in (SEGMENT, NAME)]
        return found.with_columns(kept)
    customers = run.customers
    label = pl.Series(SEGMENT, run.labels(point)).cast(pl.Int64)
    replica = {} if customers.replica is None else {REPLICA: customers.replica}
    frame = pl.DataFrame(
        {KEY: pl.Series(customers.ids, dtype=pl.String), **replica, SEGMENT: label}
    )
    return frame.with_columns(
        pl.when(pl.col(SEGMENT) != NOISE).then(pl.col(SEGMENT)).alias(SEGMENT),
        pl.lit(None, dtype=pl.String).alias(NAME),
    )


def with_key(run: FinishedRun, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table of a run with its first column, the id, as `KEY` (text)."""
    ids = frame.to_series(0)
    key = pl.Series(KEY, run.ids(ids.to_numpy()), dtype=pl.String)
    return frame.rename({ids.name: KEY}).with_columns(key)


def as_members(
    ids: Iterable[str], segment: Sequence[int | None], name: Sequence[str]
) -> pl.DataFrame:
    """Return customers that were placed in segments, one of each, as `read_members` does."""
    frame = pl.DataFrame(
        {
            KEY: pl.Series(list(ids), dtype=pl.String),
            SEGMENT: pl.Series(segment, dtype=pl.Int64),
            NAME: pl.Series(name, dtype=pl.String),
        }
    )
    return frame.with_columns(pl.when(pl.col(NAME) != "").then(pl.col(NAME)).alias(NAME))


def refuse_replicas(run: FinishedRun, members: pl.DataFrame) -> None:
    """Refuse a run that clustered copies: a customer would be in several segments."""
    if REPLICA in members.columns:
        raise StoreError(
            f"{run.path} clustered copies of its customers (augmentation), who are in several "
            "segments: export its rows, one per copy, with --customers"
        )


def members_now(current: Now) -> pl.DataFrame:
    """Return everybody with their segment of now, as `read_members` does."""
    numbers = list(current.segments.values())
    names = ["" if number is None else current.names[number] for number in numbers]
    return as_members(current.segments, numbers, names)


def told_since(current: Now | None, point: str, *, rows: bool) -> list[str]:
    """Say of which moment an export is, where sales were ingested since the run."""
    if current is None:
        return []
    found = current.since
    if found.point != point:
        return [f"{found.text}, all by {found.point}: of {point} this is the run as it was before"]
    if rows:
        return [
            f"{found.text}: the segments are those of now, the rows those of the run's own input "
            f"without the {found.n_lines} lines. --customers writes everybody"
        ]
    return [f"{found.text}: this is everybody as of now, without the columns of about.parquet"]
