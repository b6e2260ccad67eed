"""One start of k-means: a single trajectory that ends at every tolerance in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native import AmbiguousError
from segrun.algorithms.native.kmeans import lloyd
from segrun.algorithms.native.kmeans.tiles import Tiles

#: Multiplications after which a kernel returns: some 0.1 s.
_STEP_WORK = 4e9
#: Below this share of the rows' own squares, the inertia is added up row by row.
_CANCELLING = 1e-3
#: Rows equally far from their centres, relative to the distance: which one moves is rounding.
_CLOSE = 1e-9


@dataclass(frozen=True)
class KMeansFit:
    """A fit of k-means."""

    labels: NDArray[np.int32]  # (n_samples,): cluster of every row
    #: (n_clusters, n_features): the centres, of the rows as they were given
    centers: NDArray[np.float64]
    inertia: float  # sum of the squared distances to them
    n_iter: int  # iterations


def follow(
    tiles: Tiles,
    centers: NDArray[np.float64],
    tols: Sequence[float],
    max_iter: int,
    goes_on: Callable[[], bool],
) -> list[KMeansFit]:
    """Iterate from `centers` and return the fit at each tolerance."""
    distinct = np.array(sorted(set(tols), reverse=True))
    n_samples, n_features = tiles.X.shape
    n_clusters = len(centers)
    centers = np.array(centers, np.float64, order="C")
    labels = np.full(n_samples, -1, np.int32)
    sums, counts = np.zeros((n_clusters, n_features)), np.zeros(n_clusters, np.int64)
    counters, n_iter = np.zeros(4, np.int64), np.zeros(len(distinct), np.int64)
    taken_labels = np.empty((len(distinct), n_samples), np.int32)
    taken_centers = np.empty((len(distinct), n_clusters, n_features))
    n_steps = max(1, int(_STEP_WORK / (n_samples * (n_clusters + 3) * n_features)))
    status = lloyd.PAUSED
    while status == lloyd.PAUSED:
        if not goes_on():
            raise InterruptedError("k-means was stopped")
        status = lloyd.advance(
            tiles.blocks, tiles.X, tiles.norms, centers, labels, sums, counts, distinct, max_iter,
            counters, taken_labels, taken_centers, n_iter, n_steps,
        )  # fmt: skip
        if status == lloyd.EMPTY:
            new = _with_moved(tiles.X, centers, labels, sums, counts)
            status = lloyd.end_step(
                new, centers, labels, distinct, max_iter, counters, taken_labels, taken_centers,
                n_iter,
            )  # fmt: skip
    if status == lloyd.TIED:
        raise AmbiguousError("rounding decides which of two centres is nearer")
    found = [
        KMeansFit(
            taken_labels[t], c + tiles.mean, _inertia(tiles, c, taken_labels[t]), int(n_iter[t])
        )
        for t, c in enumerate(taken_centers)
    ]
    of_tol = dict(zip(distinct.tolist(), found, strict=True))
    return [of_tol[tol] for tol in tols]


def _with_moved(
    X: NDArray[np.float64],
    centers: NDArray[np.float64],
    labels: NDArray[np.int32],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the new centres, those without a row moved to the rows farthest from theirs.

    As scikit-learn has it, the choice among the farthest rows included.
    """
    empty = np.flatnonzero(counts == 0)
    distances = ((X - centers[labels]) ** 2).sum(axis=1)
    far = np.argpartition(distances, -len(empty))[: -len(empty) - 1 : -1]
    top = np.sort(distances)[-len(empty) - 1 :]
    if not np.all(np.diff(top) > _CLOSE * top[-1]):
        raise AmbiguousError("rounding decides which of two rows a cluster without rows moves to")
    sums, counts = sums.copy(), counts.copy()
    for cluster, row in zip(empty, far, strict=True):
        sums[cluster] = X[row]
        sums[labels[row]] -= X[row]
        counts[cluster] = 1
        counts[labels[row]] -= 1
    if not counts.all():
        raise AmbiguousError("a cluster lost its only row to one without rows")
    new: NDArray[np.float64] = sums / counts[:, None]
    return new


def _inertia(tiles: Tiles, centers: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    n_clusters = len(centers)
    counts = np.bincount(labels, minlength=n_clusters)
    sums = np.empty_like(centers)
    lloyd.add_up(tiles.X, labels, sums)
    lengths = np.einsum("ij,ij->i", centers, centers)
    inertia = tiles.squares - 2 * float((centers * sums).sum()) + float(counts @ lengths)
    if inertia > _CANCELLING * tiles.squares:
        return inertia
    return float(((tiles.X - centers[labels]) ** 2).sum())
