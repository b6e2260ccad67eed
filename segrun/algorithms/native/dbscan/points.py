"""One point of the grid: from neighbours to core rows and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.dbscan import components
from segrun.algorithms.native.dbscan.census import Census
from segrun.algorithms.native.dbscan.hits import Found
from segrun.algorithms.native.dbscan.leaves import WIDTH
from segrun.algorithms.native.dbscan.neighbours import Rows


class AmbiguousError(ArithmeticError):
    """The result hangs on the last bit of a distance, so that scikit-learn must be asked."""


@dataclass(frozen=True)
class Point:
    """A point of the grid, while its labels are found.

    Attributes
    ----------
    e : int
        Number of its eps.
    min_samples : int
        Neighbours that make a core row.
    cores : ndarray of int64, shape (n_leaves,)
        A bit per row: whether it is a core row.
    parents : ndarray of int32, shape (n_places,)
        The forest of components.
    labels : ndarray of int32, shape (n_places,)
        Each row's cluster.
    least : ndarray of int32, shape (n_places,)
        The smallest component that each other row borders on.
    """

    e: int
    min_samples: int
    cores: NDArray[np.int64]
    parents: NDArray[np.int32]
    labels: NDArray[np.int32]
    least: NDArray[np.int32]


def begin(rows: Rows, taken: Census, e: int, min_samples: int) -> Point:
    """Return a point that no neighbours were joined in yet."""
    n_places = len(rows.norms)
    cores = np.empty(len(rows.longest), np.int64)
    components.as_bits(taken.counts[e] >= min_samples, cores)
    return Point(
        e,
        min_samples,
        cores,
        np.arange(n_places, dtype=np.int32),
        np.empty(n_places, np.int32),
        np.full(n_places, components.NONE, np.int32),
    )


def join(point: Point, new: Found) -> None:
    """Join neighbours that are both core rows."""
    for e in range(point.e + 1):
        components.join(new.places[e], new.masks[e], point.cores, point.parents)
        components.join_wholes(new.wholes[e], point.cores, point.parents)


def number(point: Point, rows: Rows) -> None:
    """Give the components their numbers, once all are joined."""
    room = np.empty(len(rows.X), np.int32)
    components.number(point.parents, rows.leaves.row_at, point.cores, room, point.labels)


def border(point: Point, new: Found) -> None:
    """Note which components other rows border on, once they are numbered."""
    for e in range(point.e + 1):
        components.border(new.places[e], new.masks[e], point.cores, point.labels, point.least)
    wholes = np.concatenate(new.wholes[: point.e + 1])
    if len(wholes):
        # Core rows have the numbers, the others -1.
        labels = np.where(point.labels < 0, components.NONE, point.labels)
        lowest = np.minimum.reduceat(labels, np.arange(0, len(labels), WIDTH))
        of_leaf = np.full_like(lowest, components.NONE)
        components.border_wholes(wholes, lowest, of_leaf)
        np.minimum(point.least, np.repeat(of_leaf, WIDTH)[: len(labels)], out=point.least)


def end(
    point: Point, rows: Rows, taken: Census, place_of_row: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return labels and core rows, once borders are known.

    Raises
    ------
    AmbiguousError
        If a pair in doubt could change them.
    """
    is_core = taken.counts[point.e] >= point.min_samples
    bordering = ~is_core & (point.least != components.NONE)
    labels = np.where(bordering, point.least, point.labels)
    check(point, rows, taken, is_core, labels)
    return labels[place_of_row].astype(np.int64), np.flatnonzero(is_core[place_of_row])


def check(
    point: Point,
    rows: Rows,
    taken: Census,
    is_core: NDArray[np.bool_],
    labels: NDArray[np.int32],
) -> None:
    """Refuse labels that a pair in doubt could change, whichever way each is decided."""
    doubts = taken.doubts[point.e]
    if doubts is None or not len(doubts):
        return
    more = np.zeros(len(labels), np.int64)
    np.add.at(more, doubts, rows.weights[doubts[:, ::-1]])
    if (is_core != (taken.counts[point.e] + more >= point.min_samples)).any():
        raise AmbiguousError("rounding decides which rows are core rows")
    first, second = doubts.T
    joined = is_core[first] & is_core[second] & (labels[first] != labels[second])
    for core, other in ((first, second), (second, first)):
        lower = (labels[other] < 0) | (labels[core] < labels[other])
        joined |= is_core[core] & ~is_core[other] & lower
    if joined.any():
        raise AmbiguousError("rounding decides which rows are of one cluster")
