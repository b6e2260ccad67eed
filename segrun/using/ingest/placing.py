"""How a state places customers: what it keeps of the run, so that no table of it is read."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.features.built import Bounds
from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import NOISE, Segments, segments_of
from segrun.using.ingest.database import fact, set_fact
from segrun.using.placing.assignment import Training, TrainingRows, assigner, content_keys
from segrun.using.placing.placement import Placing


@dataclass(frozen=True)
class StoredTraining:
    """What placing new rows must know of those of the fit; see `Training`."""

    connection: sqlite3.Connection  #: The database
    names: NDArray[np.int64]  #: Labels of the clusters, ascending
    middles: NDArray[np.float64]  #: Mean of the transformed rows of each

    def known(
        self, X: Any, ids: NDArray[np.object_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Tell which rows equal one of the fit bit for bit, and its label (else noise)."""
        found = [self._label(key, who) for key, who in zip(_digests(X), ids, strict=True)]
        known = np.array([label is not None for label in found], dtype=bool)
        labels = [NOISE if label is None else label for label in found]
        return known, np.array(labels, dtype=np.int64)

    def _label(self, content: bytes, who: str) -> int | None:
        rows = "SELECT label FROM fit WHERE content = ?"
        own = f"{rows} AND id = ? ORDER BY rowid DESC LIMIT 1"
        found = self.connection.execute(own, (content, who)).fetchone()
        if found is None:
            first = f"{rows} ORDER BY rowid LIMIT 1"
            found = self.connection.execute(first, (content,)).fetchone()
        return None if found is None else int(found[0])


def store_training(connection: sqlite3.Connection, rows: Training) -> None:
    """Store the rows of a fit."""
    assert isinstance(rows, TrainingRows)
    cells = zip(_digests(rows.X), rows.ids, rows.labels.tolist(), strict=True)
    connection.executemany("INSERT INTO fit VALUES (?, ?, ?)", cells)
    # repr, which JSON takes, gives the text that reads back as the same float.
    set_fact(connection, "clusters", rows.names.tolist())
    set_fact(connection, "middles", rows.middles.tolist())


def stored_training(connection: sqlite3.Connection) -> StoredTraining:
    """Return what `store_training` stored."""
    names = np.array(fact(connection, "clusters"), dtype=np.int64)
    middles = np.array(fact(connection, "middles"), dtype=np.float64)
    return StoredTraining(connection, names, middles)


def _digests(X: Any) -> Iterable[bytes]:
    return (hashlib.blake2b(key, digest_size=16).digest() for key in content_keys(X))


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
    """Return how a state places customers."""
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
