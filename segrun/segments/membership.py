"""Who is in which segment as a sparse matrix: sums over segments of sparse features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def membership(numbers: NDArray[np.int64], segments: Sequence[int]) -> Any:
    """Return a CSR array of shape (n_segments, n_samples), 1 where a row is in a segment.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n_samples,)
        Segment or label of each row.
    segments : sequence of int
        Those that are asked for, in order; rows of others are in none.
    """
    from scipy.sparse import csr_array

    place = {number: row for row, number in enumerate(segments)}
    found, where = np.unique(numbers, return_inverse=True)
    rows = np.array([place.get(int(number), -1) for number in found], dtype=np.int64)[where]
    inside = np.flatnonzero(rows >= 0)
    ones = np.ones(len(inside))
    return csr_array((ones, (rows[inside], inside)), shape=(len(segments), len(numbers)))


def means(member: Any, matrix: Any) -> NDArray[np.float64]:
    """Return the mean row of every segment, zeros for an empty one.

    Parameters
    ----------
    member : CSR array of shape (n_segments, n_samples)
        See `membership`.
    matrix : CSR array of shape (n_samples, n_features)
        The rows.
    """
    sizes = np.maximum(1.0, member.sum(axis=1))
    found: NDArray[np.float64] = (member @ matrix).toarray() / sizes[:, None]
    return found
