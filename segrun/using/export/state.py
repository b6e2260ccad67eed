"""Exports of a run that sales were ingested into since: as of now, in plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from segrun.using.export.members import as_members

if TYPE_CHECKING:
    from segrun.using.ingest.since import Now


def members_now(current: Now) -> pl.DataFrame:
    """Return everybody with their segment of now, as `read_members` does."""
    numbers = list(current.segments.values())
    names = ["" if number is None else current.names[number] for number in numbers]
    return as_members(current.segments, numbers, names)


def told_since(current: Now | None, point: str, *, rows: bool) -> list[str]:
    """Say of which moment an export is, where sales were ingested since the run.

    Parameters
    ----------
    current : Now or None
        Everybody by now; None where nothing was ingested.
    point : str
        The grid point that is exported.
    rows : bool
        Whether the rows of the input are exported, not the customers.
    """
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
