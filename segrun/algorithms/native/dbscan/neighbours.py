"""One search for all pairs of rows within the largest eps, and how exact its distances are.

scikit-learn adds up squared differences in a k-d tree up to 15 features, |x|² - 2xy + |y|²
beyond and for 11 rows or fewer (`sklearn.neighbors.NearestNeighbors`, algorithm="auto"). Near
eps its answer then hangs on the last bits: in the tree on whether a box counts whole, which
compares roots instead of squares; otherwise on the order in which a linear algebra library adds
up. Such pairs are told apart as being in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.dbscan.leaves import WIDTH, Found, Hits, Leaves, found, leaves, room
from segrun.algorithms.native.dbscan.search import search
from segrun.algorithms.native.jit import kernel, spread

#: Unit roundoffs.
_SINGLE, _DOUBLE = 2.0**-24, 2.0**-53
#: Features and rows up to which scikit-learn does not use the tree.
_TREE_FEATURES, _FEW_ROWS = 15, 11
#: Numbers on either side of eps² that roots are tried for.
_NEAR = 16
#: Integers up to this are exact.
_EXACT = 2.0**53


class Limits(NamedTuple):
    """What distances are compared with, the smallest eps first."""

    eps: NDArray[np.float64]  # (n_eps,): the eps, scaled as the leaves are
    low: NDArray[np.float64]  # a pair whose squared distance is below is within eps
    high: NDArray[np.float64]  # one whose squared distance is above is not
    slack: NDArray[np.float64]  # (n_eps,): how far `low` and `high` are from eps², scaled
    per_square: float  # both are this far further apart per sum of both rows' squares
    scale2: float  # the square of the scale
    per_length: float  # error of a scaled single-precision distance per sum of both rows' lengths
    per_total: float  # relative error of a squared single-precision distance


def limits(X: NDArray[np.float64], eps: Sequence[float], scale: float) -> Limits:
    """Return the limits for rows of X, scaled by `scale`, at distinct ascending `eps`."""
    n_samples, n_features = X.shape
    tree = n_features <= _TREE_FEATURES and n_samples > _FEW_ROWS
    squares = np.array([e * e for e in eps])
    if sums_are_exact(X, X.view(np.int64)):
        per_square = 0.0
        low, high = np.array([_rooted(e) if tree else _told(e * e) for e in eps]).T
        slack = np.maximum(np.abs(squares - low), np.abs(high - squares))
    else:
        per_square = 0.0 if tree else (4 * n_features + 16) * _DOUBLE
        slack = (4 * n_features + 32) * _DOUBLE * squares
        low, high = squares - slack, squares + slack
    return Limits(
        np.array(eps) * scale,
        np.ascontiguousarray(low),
        np.ascontiguousarray(high),
        slack * scale**2,
        per_square,
        scale**2,
        1.02 * _SINGLE + (8 * n_features + 64) * _DOUBLE,
        1.2 * (n_features + 10) * _SINGLE,
    )


def _told(square: float) -> tuple[float, float]:
    return math.nextafter(square, math.inf), square


def _rooted(eps: float) -> tuple[float, float]:
    """Return the least and the largest sum for which comparing roots tells another story."""
    sums = [eps * eps]
    for _ in range(_NEAR):
        sums = [math.nextafter(sums[0], 0.0), *sums, math.nextafter(sums[-1], math.inf)]
    # Not math.sqrt: scikit-learn takes the power of 0.5.
    other = [s for s in sums if (s <= eps * eps) != (math.pow(s, 0.5) <= eps)]
    return (min(other), max(other)) if other else _told(eps * eps)


@kernel
def sums_are_exact(X, bits):  # type: ignore[no-untyped-def]
    """Tell whether no sum of products of values is rounded, as with integers.

    `bits` are the values' bits. All values are multiples of some power of two, and few digits
    long.
    """
    most, finest = 0.0, 1.0e300
    for i in range(X.shape[0]):
        for d in range(X.shape[1]):
            value = abs(X[i, d])
            if value == 0:
                continue
            lowest = bits[i, d] & -bits[i, d]
            exponent = (bits[i, d] >> 52) & 2047
            # The step that is the lowest bit of the value that is set.
            if lowest >= 1 << 52:
                step = 2.0 ** (exponent - 1023)
            else:
                step = 2.0 ** (exponent - 1075) * lowest
            most, finest = max(most, value), min(finest, step)
        units = most / finest
        if units * units * 4 * X.shape[1] > _EXACT:
            return False
    return True


#: Differences squared and added up between two pauses: some 0.2 s.
_WORK = 5e9
#: Leaves, and pairs of leaves, that one piece of the search takes, at most.
_LEAVES, _LEAF_PAIRS = 32, 200_000

#: Gets the number of a buffer, and what it holds.
Use = Callable[[int, Found], None]
#: Gets the fraction of a search that is done, and that of the pairs that were compared.
Told = Callable[[float, float], None]


@dataclass(frozen=True)
class SearchedRows:
    """What is searched."""

    X: NDArray[np.float64]  # (n_samples, n_features): the rows
    distinct: Distinct  # which of them are distinct
    leaves: Leaves  # the distinct ones, laid out
    weights: NDArray[np.int32]  # (n_places,): how many rows each place stands for
    norms: NDArray[np.float64]  # squared lengths of the rows at each place
    longest: NDArray[np.float64]  # and the largest in each leaf
    limits: Limits

    def place_of_row(self) -> NDArray[np.int64]:
        """Return the place of every row of X."""
        places = np.empty(len(self.X), np.int64)
        places[self.leaves.row_at] = np.arange(len(self.leaves.row_at))
        of_row: NDArray[np.int64] = places[self.distinct.first[self.distinct.kind]]
        return of_row


def lay_out(X: NDArray[np.float64], eps: Sequence[float], n_threads: int) -> SearchedRows:
    """Prepare a search."""
    kinds = distinct_rows(X)
    laid, scale = leaves(X, kinds.first, eps[-1], n_threads)
    weights = np.zeros(len(X), np.int32)
    weights[kinds.first] = np.bincount(kinds.kind)
    norms = np.einsum("ij,ij->i", X, X)[laid.row_at]
    longest = np.maximum.reduceat(norms, np.arange(0, len(norms), WIDTH))
    return SearchedRows(X, kinds, laid, weights[laid.row_at], norms, longest, limits(X, eps, scale))


def buffers(rows: SearchedRows, n_threads: int) -> list[Hits]:
    """Return buffers for the threads of a search."""
    n_eps, n_leaves, stride = len(rows.limits.eps), len(rows.longest), rows.leaves.rows.shape[1]
    return [room(n_eps, n_leaves, stride) for _ in range(n_threads)]


def visit(
    rows: SearchedRows, hits: Sequence[Hits], settled: NDArray[np.int32], use: Use, told: Told
) -> None:
    """Search, and pass on what is found bit by bit.

    Leaves that are `settled` alike do not matter (see `search`); that may change meanwhile.
    Several threads call `use`, and one at a time `told`.
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


class Distinct(NamedTuple):
    """The distinct rows of a matrix."""

    first: NDArray[np.int64]  # (n_distinct,): the first row of each kind, ascending
    kind: NDArray[np.int64]  # (n_samples,): which of them every row is


def distinct_rows(X: NDArray[np.float64]) -> Distinct:
    """Find rows that are equal, value by value (0 and -0 are)."""
    keys = np.empty(len(X), np.uint64)
    hash_rows(X, keys)
    order = np.sort(keys)
    if not (order[1:] == order[:-1]).any():
        rows = np.arange(len(X))
        return Distinct(rows, rows)
    by_key = np.argsort(keys, kind="stable")
    leader = np.empty(len(X), np.int64)
    find_leaders(X, keys, by_key, leader)
    is_first = leader == np.arange(len(X))
    return Distinct(np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[leader])


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
