"""How many neighbours every row has, within each eps: the first, and mostly only, search."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.dbscan import components
from segrun.algorithms.native.dbscan.hits import MAX_DOUBTS, Found, Hits, Store
from segrun.algorithms.native.dbscan.leaves import WIDTH
from segrun.algorithms.native.dbscan.neighbours import Rows, Told, visit


@dataclass(frozen=True)
class Census:
    """What the first search finds.

    Attributes
    ----------
    counts : ndarray of int32, shape (n_eps, n_places)
        Rows within eps of each, itself included. Pairs in doubt do not count.
    doubts : list of (ndarray of int64, shape (n_doubts, 2)) or None, per eps
        Places of two rows of which scikit-learn's own rounding decides whether they are within
        eps; None where there are too many.
    store : Store
        Which rows those are, if there is room for it.
    """

    counts: NDArray[np.int32]
    doubts: list[NDArray[np.int64] | None]
    store: Store


def census(rows: Rows, hits: list[Hits], budget: int, told: Told) -> Census:
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
    return Census(everything, [_doubts(rows, hits, e) for e in range(n_eps)], store)


def _within(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Add up over threads, and over smaller eps."""
    return np.cumsum(counts.sum(axis=0, dtype=np.int32), axis=0, dtype=np.int32)


def is_hopeless(rows: Rows, hits: list[Hits], e: int) -> bool:
    """Tell whether too many pairs are in doubt at an eps."""
    # Even a row and itself, or its like, where lengths are large.
    blur = 2 * rows.limits.per_square * float(rows.longest.max())
    n_doubts = sum(int(h.n_doubts[e]) for h in hits)
    return n_doubts > MAX_DOUBTS or blur >= float(rows.limits.low[e])


def _doubts(rows: Rows, hits: list[Hits], e: int) -> NDArray[np.int64] | None:
    if is_hopeless(rows, hits, e):
        return None
    return np.concatenate([h.doubts[e, : h.n_doubts[e]] for h in hits])
