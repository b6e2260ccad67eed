"""The rows of a fit as a state keeps them: found by their content, never all read."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.segments.segment import NOISE
from segrun.using.ingest.database import fact, set_fact
from segrun.using.placing.training import Training, TrainingRows, content_keys


@dataclass(frozen=True)
class StoredTraining:
    """What placing new rows must know of those of the fit; see `Training`.

    Attributes
    ----------
    connection : Connection
        The database.
    names : ndarray of shape (n_clusters,)
        Labels of the clusters, ascending.
    middles : ndarray of shape (n_clusters, n_components)
        Mean of the transformed rows of each.
    """

    connection: sqlite3.Connection
    names: NDArray[np.int64]
    middles: NDArray[np.float64]

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
