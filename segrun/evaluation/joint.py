"""Joint groups: the rows that share their clusters in every one of many label sets.

Distances from a row are summed once per joint group; every label set then adds up the groups
that make up its clusters. Grids agree on much (27 k-means points of 425,600 rows had fewer
than 7,000 joint groups), so that a further label set costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.evaluation.partition import Partition


@dataclass(frozen=True)
class JointGroups:
    """The rows sorted by joint group: the columns of all distances.

    Attributes
    ----------
    order : ndarray of int64, shape (n_columns,)
        Rows sorted by joint group; rows that are noise in every label set are left out.
    groups : ndarray of int64, shape (n_columns,)
        The joint group of each, ascending.
    members : ndarray of int64, shape (n_groups, n_sets)
        The cluster that a joint group is part of in each set, counted through the sets; negative
        where it is noise.
    offsets : ndarray of int64, shape (n_sets + 1,)
        Where each set begins when the clusters are counted through the sets.
    """

    order: NDArray[np.int64]
    groups: NDArray[np.int64]
    members: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def n_clusters(self) -> int:
        """Number of clusters of all sets."""
        return int(self.offsets[-1])

    def runs(self, width: int) -> NDArray[np.int64]:
        """Return where runs begin: columns of one joint group, without a multiple of `width`."""
        begins = np.zeros(len(self.groups), bool)
        begins[::width] = True
        begins[1:] |= self.groups[1:] != self.groups[:-1]
        return np.flatnonzero(begins)


def joint_groups(partitions: Sequence[Partition]) -> JointGroups:
    """Sort rows by joint group.

    Parameters
    ----------
    partitions : sequence of Partition
        Label sets of the same rows.

    Returns
    -------
    JointGroups
        Memory grows with rows, and with joint groups x label sets, 8 bytes each.
    """
    keys, first = _joint_keys(partitions)
    offsets = np.cumsum([0] + [part.n_clusters for part in partitions])
    members = np.stack([part.codes[first] for part in partitions], axis=1).astype(np.int64)
    members += np.where(members >= 0, offsets[:-1], 0)
    clustered: NDArray[np.bool_] = np.any(members >= 0, axis=1)
    used = np.flatnonzero(clustered[keys])
    order = used[np.argsort(keys[used], kind="stable")]
    return JointGroups(order, keys[order], members, offsets)


def _joint_keys(
    partitions: Sequence[Partition],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the joint group of every row and one row of every joint group."""
    key = np.zeros(len(partitions[0].codes), np.int64)
    span = 1
    for part in partitions:
        if span * (part.n_clusters + 1) > np.iinfo(np.int64).max:
            values, key = np.unique(key, return_inverse=True)
            span = len(values)
        key = key * (part.n_clusters + 1) + (part.codes + 1)
        span *= part.n_clusters + 1
    _, first, key = np.unique(key, return_index=True, return_inverse=True)
    return key, first
