"""How many neighbours rows have, from a sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.seeds import generator

#: Rows sampled, and rows that each is compared with. Counts are skewed (the largest is ten times
#: the mean), so sampled rows tell more than rows compared with.
SAMPLED_ROWS, COMPARED_ROWS = 256, 65_536
#: Values of eps that are counted; of more, some, and the others take the next larger one's.
_MOST_EPS = 8
#: Rows compared at once: distances stay in the cache.
_BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of the sampled rows within each eps, themselves included."""

    eps: NDArray[np.float64]
    counts: NDArray[np.float64]

    def mean(self, eps: float) -> float:
        """Return the mean number of neighbours within `eps`."""
        return float(self._of(eps).mean())

    def core_share(self, eps: float, min_samples: float) -> float:
        """Return the share of rows that have `min_samples` neighbours within `eps`."""
        return float((self._of(eps) >= min_samples).mean())

    def _of(self, eps: float) -> NDArray[np.float64]:
        at = min(int(np.searchsorted(self.eps, eps)), len(self.eps) - 1)
        found: NDArray[np.float64] = self.counts[at]
        return found


def count_neighbours(X: NDArray[np.float64], eps: Sequence[float], seed: int) -> Neighbours:
    """Count the neighbours of some rows among all rows, or among 65,536 of them."""
    from threadpoolctl import threadpool_limits

    wanted = np.unique(np.asarray(eps, np.float64))
    wanted = wanted[np.linspace(0, len(wanted) - 1, min(len(wanted), _MOST_EPS)).astype(int)]
    rng = generator(seed, "preflight")
    chosen = sample(rng, X, SAMPLED_ROWS)
    among = X if len(X) <= COMPARED_ROWS else sample(rng, X, COMPARED_ROWS)
    center = chosen.mean(axis=0)
    left, right = _left(chosen - center), _right(among - center)
    counts = np.zeros((len(wanted), len(chosen)))
    # Threads would wait for each other longer than they compute.
    with threadpool_limits(1, "blas"):
        for start in range(0, len(right), _BLOCK_ROWS):
            squares = left @ right[start : start + _BLOCK_ROWS].T
            for number, radius in enumerate(wanted):
                counts[number] += np.count_nonzero(squares <= radius * radius, axis=1)
    # A row is its own neighbour, once, however few it is compared with.
    return Neighbours(wanted, np.maximum(1.0, counts * (len(X) / len(among))))


def sample(rng: np.random.Generator, X: NDArray[np.float64], n_rows: int) -> NDArray[np.float64]:
    """Return `n_rows` rows of X without repetition, in their order; all where there are fewer."""
    if len(X) <= n_rows:
        return X
    rows: NDArray[np.float64] = X[np.sort(rng.choice(len(X), n_rows, replace=False))]
    return rows


def _left(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return factors whose product with those of `_right` is the squared distance."""
    return np.column_stack((-2 * rows, np.einsum("ij,ij->i", rows, rows), np.ones(len(rows))))


def _right(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack((rows, np.ones(len(rows)), np.einsum("ij,ij->i", rows, rows)))
