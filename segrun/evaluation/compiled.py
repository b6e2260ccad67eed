"""Summed distances by a compiled kernel: the road for many rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segrun.evaluation.joint import JointGroups
from segrun.evaluation.sums import Sums

#: Rows that the kernel takes at once.
LANES = 64
#: Blocks of rows at once: turning sums into silhouettes is numpy's, and wants some rows.
BLOCKS = 4
#: Mebibytes that one thread may use for sums per cluster.
SUMS_BYTES = 48 * 2**20


def fits(groups: JointGroups) -> bool:
    """Tell whether the sums of one block stay within `SUMS_BYTES`."""
    return _block_bytes(groups) <= SUMS_BYTES


def _block_bytes(groups: JointGroups) -> int:
    return 8 * LANES * groups.n_clusters


def compiled_sums(X: NDArray[np.float64], groups: JointGroups, rows: NDArray[np.int64]) -> Sums:
    """Prepare the sums of distances from `rows` to the clusters of `groups`.

    Parameters
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
        All rows.
    groups : JointGroups
        The rows sorted.
    rows : ndarray of int64, shape (n_scored,)
        The rows to score.

    Returns
    -------
    Sums
        To a relative error of about 1e-7, copies of a row at exactly 0, in a unit that is a power
        of two.
    """
    # Late: numba takes 0.3 s to import, and seconds to compile for the first time.
    from segrun.algorithms.native.silhouette import SPAN, add_distances, shift_columns

    scale = _scale(X)
    columns = X[groups.order]
    columns *= scale
    shifted, centers, away = shift_columns(columns)
    begins = groups.runs(SPAN)
    plan = (
        columns,
        shifted,
        centers,
        np.add.reduceat(away, begins),
        np.append(begins[1:], len(columns)),
        groups.groups[begins],
        groups.members,
    )
    blocks = min(BLOCKS, max(1, SUMS_BYTES // (2 * _block_bytes(groups))))

    def of(block: slice) -> NDArray[np.float64]:
        height = block.stop - block.start
        totals = np.zeros((-(-height // LANES), groups.n_clusters, LANES))
        for number, total in enumerate(totals):
            start = block.start + number * LANES
            # The last block is filled with copies of its last row.
            lanes = np.minimum(np.arange(start, start + LANES), block.stop - 1)
            add_distances(*plan, np.ascontiguousarray((X[rows[lanes]] * scale).T), total)
        return totals.transpose(1, 0, 2).reshape(groups.n_clusters, -1)[:, :height]

    return Sums(blocks * LANES, np.zeros(len(rows)), of)


def _scale(X: NDArray[np.float64]) -> float:
    """Return the power of two that brings squares into the range of single precision."""
    _, exponent = math.frexp(float(np.ptp(X, axis=0).max()))
    return math.ldexp(1.0, -exponent)
