"""Customers who stand for a segment: those nearest to its middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segrun.segments.outliers import middles
from segrun.segments.segment import NOISE

#: Rows whose distances are computed at once: four copies of them are there meanwhile.
_BLOCK_ROWS = 65_536


def medoids(
    Z: NDArray[np.float64],
    labels: NDArray[np.int64],
    ids: NDArray[np.object_],
    n_wanted: int = 3,
) -> dict[int, list[str]]:
    """Return the ids of the customers nearest to each segment's mean, the nearest first.

    Parameters
    ----------
    Z : ndarray of float64, shape (n_samples, n_components)
        The matrix that was clustered.
    labels : ndarray of int64, shape (n_samples,)
        Noise has none.
    ids : ndarray of str objects, shape (n_samples,)
        Copies of a customer count as one.
    n_wanted : int, default=3
        Customers per segment, fewer where it has fewer.
    """
    rows = np.flatnonzero(labels != NOISE)
    if not len(rows):
        return {}
    found, means = middles(Z, labels)
    where = np.searchsorted(found, labels[rows])
    distance = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        distance[block] = ((Z[rows[block]] - means[where[block]]) ** 2).sum(axis=1)
    # Of equals the first row: the sort is stable.
    order = np.lexsort((distance, where))
    starts = np.searchsorted(where[order], np.arange(len(found) + 1))
    nearest = {}
    for place, label in enumerate(found):
        own = rows[order[starts[place] : starts[place + 1]]]
        nearest[int(label)] = _first_distinct(ids, own, n_wanted)
    return nearest


def _first_distinct(ids: NDArray[np.object_], rows: NDArray[np.int64], n: int) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found[str(ids[row])] = None
        if len(found) == n:
            break
    return list(found)
