"""One point of the grid: from counts of neighbours to core rows and labels."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native import AmbiguousError
from segrun.algorithms.native.dbscan import components
from segrun.algorithms.native.dbscan.hits import MAX_DOUBTS, Found, Hits, Store
from segrun.algorithms.native.dbscan.leaves import WIDTH
from segrun.algorithms.native.dbscan.neighbours import SearchedRows, Told, visit


@dataclass(frozen=True)
class NeighbourCounts:
    """What the first search finds."""

    counts: NDArray[np.int32]  # (n_eps, n_places): within eps, with itself, without pairs in doubt
    #: Per eps, places of two rows of which scikit-learn's own rounding decides whether they are
    #: within it; None where there are too many.
    doubts: list[NDArray[np.int64] | None]
    store: Store  # which rows those are, if there is room for it


def count_neighbours(
    rows: SearchedRows, hits: list[Hits], budget: int, told: Told
) -> NeighbourCounts:
    """Search, count, and keep what is found if it takes no more than `budget` bytes."""
    n_eps, n_places, n_leaves = len(rows.limits.eps), len(rows.norms), len(rows.longest)
    counts = np.zeros((len(hits), n_eps, n_places), np.int32)
    of_leaf = np.zeros((len(hits), n_eps, n_leaves), np.int32)
    totals = np.add.reduceat(rows.weights, np.arange(0, n_places, WIDTH), dtype=np.int32)
    store, lock = Store(budget), Lock()

    def use(k: int, new: Found) -> None:
        for e, found in enumerate(zip(*new, strict=True)):
            places, masks, wholes = found
            components.count(places, masks, rows.weights, counts[k, e])
            components.count_wholes(wholes, totals, of_leaf[k, e])
        with lock:
            store.keep(new)

    visit(rows, hits, np.empty((0, n_leaves), np.int32), use, told)
    everything = _within(counts)
    everything += np.repeat(_within(of_leaf), WIDTH, axis=1)[:, :n_places]
    everything += rows.weights
    return NeighbourCounts(everything, [_doubts(rows, hits, e) for e in range(n_eps)], store)


def _within(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Add up over threads, and over smaller eps."""
    return np.cumsum(counts.sum(axis=0, dtype=np.int32), axis=0, dtype=np.int32)


def is_hopeless(rows: SearchedRows, hits: list[Hits], e: int) -> bool:
    """Tell whether too many pairs are in doubt at an eps."""
    # Even a row and itself, or its like, where lengths are large.
    blur = 2 * rows.limits.per_square * float(rows.longest.max())
    n_doubts = sum(int(h.n_doubts[e]) for h in hits)
    return n_doubts > MAX_DOUBTS or blur >= float(rows.limits.low[e])


def _doubts(rows: SearchedRows, hits: list[Hits], e: int) -> NDArray[np.int64] | None:
    if is_hopeless(rows, hits, e):
        return None
    return np.concatenate([h.doubts[e, : h.n_doubts[e]] for h in hits])


@dataclass(frozen=True)
class Labelling:
    """A point of the grid, while its labels are found."""

    e: int  # number of its eps
    min_samples: int  # neighbours that make a core row
    cores: NDArray[np.int64]  # (n_leaves,): a bit per row: whether it is a core row
    parents: NDArray[np.int32]  # (n_places,): the forest of components
    labels: NDArray[np.int32]  # (n_places,): each row's cluster
    least: NDArray[np.int32]  # (n_places,): the smallest component that other rows border on


def begin(rows: SearchedRows, counted: NeighbourCounts, e: int, min_samples: int) -> Labelling:
    """Return a point that no neighbours were joined in yet."""
    n_places = len(rows.norms)
    cores = np.empty(len(rows.longest), np.int64)
    components.as_bits(counted.counts[e] >= min_samples, cores)
    return Labelling(
        e,
        min_samples,
        cores,
        np.arange(n_places, dtype=np.int32),
        np.empty(n_places, np.int32),
        np.full(n_places, components.NONE, np.int32),
    )


def join(point: Labelling, new: Found) -> None:
    """Join neighbours that are both core rows."""
    for e in range(point.e + 1):
        components.join(new.places[e], new.masks[e], point.cores, point.parents)
        components.join_wholes(new.wholes[e], point.cores, point.parents)


def number(point: Labelling, rows: SearchedRows) -> None:
    """Give the components their numbers, once all are joined."""
    room = np.empty(len(rows.X), np.int32)
    components.number(point.parents, rows.leaves.row_at, point.cores, room, point.labels)


def border(point: Labelling, new: Found) -> None:
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
    point: Labelling, rows: SearchedRows, counted: NeighbourCounts, place_of_row: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return labels and core rows, once borders are known."""
    is_core = counted.counts[point.e] >= point.min_samples
    bordering = ~is_core & (point.least != components.NONE)
    labels = np.where(bordering, point.least, point.labels)
    check(point, rows, counted, is_core, labels)
    return labels[place_of_row].astype(np.int64), np.flatnonzero(is_core[place_of_row])


def check(
    point: Labelling,
    rows: SearchedRows,
    counted: NeighbourCounts,
    is_core: NDArray[np.bool_],
    labels: NDArray[np.int32],
) -> None:
    """Refuse labels that a pair in doubt could change, whichever way each is decided."""
    doubts = counted.doubts[point.e]
    if doubts is None or not len(doubts):
        return
    more = np.zeros(len(labels), np.int64)
    np.add.at(more, doubts, rows.weights[doubts[:, ::-1]])
    if (is_core != (counted.counts[point.e] + more >= point.min_samples)).any():
        raise AmbiguousError("rounding decides which rows are core rows")
    first, second = doubts.T
    joined = is_core[first] & is_core[second] & (labels[first] != labels[second])
    for core, other in ((first, second), (second, first)):
        lower = (labels[other] < 0) | (labels[core] < labels[other])
        joined |= is_core[core] & ~is_core[other] & lower
    if joined.any():
        raise AmbiguousError("rounding decides which rows are of one cluster")
