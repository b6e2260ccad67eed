"""A label set in the form that the scores work on: clusters numbered from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Partition:
    """The clusters of one label set.

    Attributes
    ----------
    codes : ndarray of int32, shape (n_samples,)
        Cluster of every row, numbered from 0 in the order of the labels; noise is -1.
    labels : ndarray of int64, shape (n_clusters,)
        The label of every cluster, ascending.
    counts : ndarray of int64, shape (n_clusters,)
        Rows in every cluster, at least 1 each.
    """

    codes: NDArray[np.int32]
    labels: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def n_clusters(self) -> int:
        """Number of clusters, without noise."""
        return len(self.counts)

    @property
    def n_clustered(self) -> int:
        """Number of rows that are in a cluster."""
        return int(self.counts.sum())


def partition(labels: NDArray[Any]) -> Partition:
    """Return the clusters of a label set, numbered from 0.

    Parameters
    ----------
    labels : ndarray of int, shape (n_samples,)
        Labels, with gaps or without; every negative label is noise (scikit-learn's HDBSCAN has
        several).

    Returns
    -------
    Partition
        The same clusters.
    """
    labels = np.asarray(labels)
    inside = labels >= 0
    if not inside.any():
        return Partition(
            np.full(len(labels), -1, np.int32), np.empty(0, np.int64), np.empty(0, np.int64)
        )
    codes = np.full(len(labels), -1, np.int32)
    if labels.max() < 4 * len(labels):
        # Counting is some ten times faster than sorting, and labels rarely exceed the rows.
        counts = np.bincount(labels[inside])
        names = np.flatnonzero(counts)
        numbers = np.cumsum(counts > 0, dtype=np.int32) - 1
        codes[inside] = numbers[labels[inside]]
        return Partition(codes, names.astype(np.int64), counts[names].astype(np.int64))
    names, inverse, counts = np.unique(labels[inside], return_inverse=True, return_counts=True)
    codes[inside] = inverse
    return Partition(codes, names.astype(np.int64), counts.astype(np.int64))
