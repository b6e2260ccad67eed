"""The two scores that need only centroids: Davies-Bouldin and Calinski-Harabasz.

The definitions are scikit-learn's, and so are the values. Its functions copy the rows of every
cluster in turn and hold all distances between centroids at once: 0.25 s for each label set of
425,600 rows, and gigabytes where DBSCAN finds tens of thousands of clusters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from sklearn.metrics import pairwise_distances_chunked

from segrun.evaluation.partition import Partition

#: Rows whose distance to the centroid is computed at once; they stay in the cache.
BLOCK_ROWS = 4096
#: Mebibytes for distances between centroids.
CENTROID_MEBIBYTES = 32


def centroid_scores(X: NDArray[np.float64], partition: Partition) -> tuple[float, float]:
    """Return the Davies-Bouldin and the Calinski-Harabasz score.

    Davies and Bouldin (1979), IEEE Transactions on Pattern Analysis and Machine Intelligence 1(2),
    224-227; Calinski and Harabasz (1974), Communications in Statistics 3, 1-27.
    """
    centroids = _sums(X, partition) / partition.counts[:, None]
    squares, spread = _dispersion(X, partition, centroids)
    return _davies_bouldin(centroids, spread), _calinski_harabasz(centroids, partition, squares)


def _sums(X: NDArray[np.float64], partition: Partition) -> NDArray[Any]:
    """Return the sum of the rows of every cluster, shape (n_clusters, n_features)."""
    inside = partition.codes >= 0
    ends = np.append(0, np.cumsum(inside))
    codes = partition.codes[inside]
    # By columns, which are rows of X: these are read in order, and the sums stay in the cache.
    members = csc_array((np.ones(len(codes)), codes, ends), shape=(partition.n_clusters, len(X)))
    sums: NDArray[Any] = members @ X
    return sums


def _dispersion(
    X: NDArray[np.float64], partition: Partition, centroids: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the summed squared distance to centroids, and the mean distance per cluster."""
    squares = 0.0
    totals = np.zeros(partition.n_clusters)
    for start in range(0, len(X), BLOCK_ROWS):
        rows, codes = X[start : start + BLOCK_ROWS], partition.codes[start : start + BLOCK_ROWS]
        inside = codes >= 0
        if not inside.all():
            rows, codes = rows[inside], codes[inside]
        difference = rows - centroids[codes]
        square = np.einsum("ij,ij->i", difference, difference)
        squares += float(square.sum())
        np.add.at(totals, codes, np.sqrt(square))
    return squares, totals / partition.counts


def _davies_bouldin(centroids: NDArray[np.float64], spread: NDArray[np.float64]) -> float:
    """Average, over clusters, the likeness to the most similar other cluster."""

    def worst(distance: NDArray[np.float64], start: int) -> NDArray[np.float64]:
        # As in scikit-learn, clusters at the same place (and a cluster and itself) do not count.
        distance[distance == 0] = np.inf
        own = spread[start : start + len(distance), None]
        likeness: NDArray[np.float64] = ((own + spread) / distance).max(axis=1)
        return likeness

    chunks = pairwise_distances_chunked(
        centroids, reduce_func=worst, working_memory=CENTROID_MEBIBYTES
    )
    return float(np.concatenate(list(chunks)).mean())


def _calinski_harabasz(
    centroids: NDArray[np.float64], partition: Partition, squares: float
) -> float:
    """Compare the dispersion between clusters with that within them, per degree of freedom."""
    n_clusters, n_clustered = partition.n_clusters, partition.n_clustered
    counts = partition.counts
    if squares == 0:
        return 1.0  # scikit-learn's value where every row is at its centroid
    center = counts @ centroids / n_clustered
    between = float(counts @ ((centroids - center) ** 2).sum(axis=1))
    return between / squares * (n_clustered - n_clusters) / (n_clusters - 1)
