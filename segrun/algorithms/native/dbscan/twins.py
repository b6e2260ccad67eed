"""Identical rows become one row with a weight, so that they never meet in pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.jit import kernel


class Twins(NamedTuple):
    """The distinct rows of a matrix.

    Attributes
    ----------
    first : ndarray of int64, shape (n_distinct,)
        The first row of each kind, ascending.
    kind : ndarray of int64, shape (n_samples,)
        Which of them every row is.
    """

    first: NDArray[np.int64]
    kind: NDArray[np.int64]


def twins(X: NDArray[np.float64]) -> Twins:
    """Find rows that are equal, value by value (0 and -0 are)."""
    keys = np.empty(len(X), np.uint64)
    hash_rows(X, keys)
    order = np.sort(keys)
    if not (order[1:] == order[:-1]).any():
        rows = np.arange(len(X))
        return Twins(rows, rows)
    by_key = np.argsort(keys, kind="stable")
    leader = np.empty(len(X), np.int64)
    find_leaders(X, keys, by_key, leader)
    is_first = leader == np.arange(len(X))
    return Twins(np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[leader])


@kernel
def hash_rows(X, keys):  # type: ignore[no-untyped-def]
    """Store a key per row; equal rows have equal keys."""
    bits = X.view(np.uint64)
    for i in range(X.shape[0]):
        key = np.uint64(14695981039346656037)
        for d in range(X.shape[1]):
            value = np.uint64(0) if X[i, d] == 0 else bits[i, d]
            key = (key ^ value) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        keys[i] = key


@kernel
def find_leaders(X, keys, by_key, leader):  # type: ignore[no-untyped-def]
    """Store the first row that equals each row; rows come by key, those of a key ascending."""
    start = 0
    for q in range(by_key.size):
        i = by_key[q]
        if keys[by_key[start]] != keys[i]:
            start = q
        leader[i] = i
        # Nearly always the first is equal: different rows hardly ever share a key.
        for other in range(start, q):
            j = by_key[other]
            if leader[j] == j and _equal(X[i], X[j]):
                leader[i] = j
                break


@kernel
def _equal(x, y):  # type: ignore[no-untyped-def]
    same = True
    for d in range(x.size):
        same &= x[d] == y[d]
    return same
