"""Which grid point of a run counts."""

from __future__ import annotations

from segrun.errors import StoreError
from segrun.finished import FinishedRun
from segrun.nearest import did_you_mean
from segrun.segments.segment import is_described, read_segments


def chosen_point(run: FinishedRun, asked: str | None) -> str:
    """Return the point asked for, else that of the segments, else the selected one.

    Raises
    ------
    StoreError
        If the run has no labels of it, or selected none.
    """
    if asked is not None and asked not in run.points:
        raise StoreError(
            f"{run.path} has no labels of the point {asked}.{did_you_mean(asked, run.points)} "
            f"Points: {', '.join(run.points)}"
        )
    found = asked
    if found is None and is_described(run):
        found = read_segments(run).point
    found = found or run.selected
    if found is None:
        raise StoreError(
            f"{run.path} selected no point: name one with --point. Points: {', '.join(run.points)}"
        )
    return found
