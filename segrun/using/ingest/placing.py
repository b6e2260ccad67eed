"""How a state places customers: what it keeps of the run, so that none of its tables are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from segrun.errors import StoreError
from segrun.features.built import Bounds
from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import Segments, is_described, read_segments
from segrun.using.ingest.database import fact, set_fact
from segrun.using.ingest.training import store_training, stored_training
from segrun.using.placing.assignment import assigner
from segrun.using.placing.placement import Placing


def segments_of(run: FinishedRun, point: str) -> Segments | None:
    """Return the described segments of a point, None where the run has none of it."""
    found = read_segments(run) if is_described(run) else None
    return found if found is not None and found.point == point else None


def placing_of(run: FinishedRun, point: str, *, nearest: bool) -> Placing:
    """Return how a run places customers; see ``segrun apply``."""
    model = assigner(run, point, nearest=nearest)
    return Placing.of(run, model, segments_of(run, point))


def store_placing(
    connection: sqlite3.Connection, placing: Placing, point: str, *, nearest: bool
) -> None:
    """Store what `stored_placing` needs."""
    store_training(connection, placing.model.training)
    kept = {
        "point": point,
        "nearest": nearest,
        "bounds": [asdict(bounds) for bounds in placing.bounds],
        "names": list(placing.names),
        "logged": list(placing.logged),
        "numbers": _numbers(placing.segments),
    }
    set_fact(connection, "placing", kept)


def stored_placing(connection: sqlite3.Connection, run: FinishedRun) -> Placing:
    """Return how a state places customers.

    Raises
    ------
    StoreError
        If the segments of the run have other numbers than when the state began.
    """
    kept = fact(connection, "placing")
    segments = segments_of(run, kept["point"])
    if _numbers(segments) != kept["numbers"]:
        raise StoreError(
            f"the segments of {run.path} were described anew since sales were first ingested, with "
            "other numbers: segrun ingest RUN --refresh gives every customer a segment again"
        )
    training = stored_training(connection)
    model = assigner(run, kept["point"], nearest=kept["nearest"], training=training)
    bounds = [Bounds(**values) for values in kept["bounds"]]
    return Placing(model, bounds, segments, kept["names"], kept["logged"])


def renumber(connection: sqlite3.Connection, run: FinishedRun) -> None:
    """Take over the segments of the run as they are numbered now."""
    kept = fact(connection, "placing")
    numbers = _numbers(segments_of(run, kept["point"]))
    set_fact(connection, "placing", {**kept, "numbers": numbers})


def _numbers(segments: Segments | None) -> Sequence[Any]:
    """Return what the numbers of segments mean."""
    if segments is None:
        return []
    return [segments.outliers, *([s.number, s.label] for s in segments.segments)]
