"""One search for all pairs of rows within the largest eps, spread over threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.dbscan.crew import spread
from segrun.algorithms.native.dbscan.hits import Found, Hits, found, room
from segrun.algorithms.native.dbscan.leaves import WIDTH, Leaves, leaves
from segrun.algorithms.native.dbscan.limits import Limits, limits
from segrun.algorithms.native.dbscan.search import search
from segrun.algorithms.native.dbscan.twins import Twins, twins

#: Differences squared and added up between two pauses: some 0.2 s.
_WORK = 5e9
#: Leaves, and pairs of leaves, that one piece of the search takes, at most.
_LEAVES, _LEAF_PAIRS = 32, 200_000

#: Gets the number of a buffer, and what it holds.
Use = Callable[[int, Found], None]
#: Gets the fraction of a search that is done, and that of the pairs that were compared.
Told = Callable[[float, float], None]


@dataclass(frozen=True)
class Rows:
    """What is searched.

    Attributes
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
        The rows.
    twins : Twins
        Which of them are distinct.
    leaves : Leaves
        The distinct ones, laid out.
    weights : ndarray of int32, shape (n_places,)
        How many rows each place stands for.
    norms, longest : ndarray of float64, shapes (n_places,) and (n_leaves,)
        Squared lengths of the rows at each place, and the largest in each leaf.
    limits : Limits
        The eps.
    """

    X: NDArray[np.float64]
    twins: Twins
    leaves: Leaves
    weights: NDArray[np.int32]
    norms: NDArray[np.float64]
    longest: NDArray[np.float64]
    limits: Limits

    def place_of_row(self) -> NDArray[np.int64]:
        """Return the place of every row of X."""
        places = np.empty(len(self.X), np.int64)
        places[self.leaves.row_at] = np.arange(len(self.leaves.row_at))
        of_row: NDArray[np.int64] = places[self.twins.first[self.twins.kind]]
        return of_row


def lay_out(X: NDArray[np.float64], eps: Sequence[float], n_threads: int) -> Rows:
    """Prepare a search.

    Parameters
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
        The rows.
    eps : sequence of float
        Distinct, ascending.
    n_threads : int
        Threads to use.
    """
    kinds = twins(X)
    laid, scale = leaves(X, kinds.first, eps[-1], n_threads)
    weights = np.zeros(len(X), np.int32)
    weights[kinds.first] = np.bincount(kinds.kind)
    norms = np.einsum("ij,ij->i", X, X)[laid.row_at]
    longest = np.maximum.reduceat(norms, np.arange(0, len(norms), WIDTH))
    return Rows(X, kinds, laid, weights[laid.row_at], norms, longest, limits(X, eps, scale))


def buffers(rows: Rows, n_threads: int) -> list[Hits]:
    """Return buffers for the threads of a search."""
    n_eps, n_leaves, stride = len(rows.limits.eps), len(rows.longest), rows.leaves.rows.shape[1]
    return [room(n_eps, n_leaves, stride) for _ in range(n_threads)]


def visit(
    rows: Rows, hits: Sequence[Hits], settled: NDArray[np.int32], use: Use, told: Told
) -> None:
    """Search, and pass on what is found bit by bit.

    Parameters
    ----------
    rows : Rows
        The rows.
    hits : sequence of Hits
        A buffer per thread.
    settled : ndarray of int32, shape (n_points, n_leaves)
        Pairs of leaves that do not matter; see `search`. May change meanwhile.
    use : callable
        Gets what was found. Several threads call it.
    told : callable
        Is told about the progress. Several threads call it, one at a time.
    """
    n_leaves, n_features = rows.leaves.low.shape
    n_each = max(1, min(_LEAVES, _LEAF_PAIRS // n_leaves))
    step = min(n_leaves, max(4 * len(hits), n_leaves // n_each))
    free = list(range(len(hits)))
    lock = Lock()
    done: list[int] = []
    n_all = len(rows.norms) ** 2 / 2

    def work(piece: int) -> None:
        k = free.pop()
        at = np.array([piece, 0])
        finished = False
        while not finished:
            hits[k].sizes[:] = 0
            finished = search(
                rows.leaves, rows.X, rows.norms, rows.longest, rows.limits, settled, hits[k],
                at, step, _WORK / (n_features + 4),
            )  # fmt: skip
            use(k, found(hits[k]))
        free.append(k)
        with lock:
            done.append(piece)
            fraction = len(done) / step
            told(fraction, sum(int(h.n_compared[0]) for h in hits) / (n_all * fraction))

    spread(work, range(step), len(hits))
