"""Whether the lines of a batch may have been ingested before: only those of the same time can."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from segrun.config import Copies, DatasetConfig, FileConfig
from segrun.errors import DataError


def overlapping(
    dataset: DatasetConfig, path: str, before: Mapping[str, Any], batch: Mapping[str, Any]
) -> list[str]:
    """Return what to say of a batch whose lines lie among those before.

    Parameters
    ----------
    dataset : DatasetConfig
        Whether copies are left out.
    path : str
        The file.
    before, batch : mapping
        Totals of what was ingested until now, and of the batch.

    Raises
    ------
    DataError
        If copies are left out: whether there are any is known only where the lines lie apart.
    """
    drops = isinstance(dataset, FileConfig) and dataset.duplicates is Copies.drop
    shared = _shared(before, batch)
    if shared is not None and shared < timedelta(0):
        return []
    where = "its lines have no dates"
    if shared is not None:
        where = (
            f"its lines from {batch['first_line']} to {batch['last_line']} lie among those that "
            f"were ingested before ({before['first_line']} to {before['last_line']})"
        )
    if drops:
        raise DataError(
            f"{path}: {where}. dataset.duplicates=drop leaves out copies, and which of them are "
            "copies of lines before is not known any more: run once more over all files (their "
            "folder, or a glob), or ingest a file of other days"
        )
    # A line or two may well be late.
    several = shared is not None and shared >= timedelta(days=1)
    return [f"{where}: what is in both counts twice"] if several else []


def _shared(one: Mapping[str, Any], other: Mapping[str, Any]) -> timedelta | None:
    """Return the time that two ranges have in common, negative where none, None without dates."""
    if "last_line" not in one or "last_line" not in other:
        return None
    first, last = (
        [datetime.fromisoformat(part[name]) for part in (one, other)]
        for name in ("first_line", "last_line")
    )
    return min(last) - max(first)
