"""Silhouettes of many label sets from one pass over the distances.

The silhouette of a row is ``(b - a) / max(a, b)`` with `a` its mean distance to the other rows of
its cluster and `b` its mean distance to the rows of the nearest other cluster (Rousseeuw, 1987,
Journal of Computational and Applied Mathematics 20, 53-65). Every distance serves all label sets:
see `joint`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.evaluate.joint import JointGroups, Tile, joint_groups
from segrun.evaluate.partition import Partition

#: Columns per tile and most rows per block: distances of one tile fit the second-level cache.
TILE_COLUMNS = 2048
BLOCK_ROWS = 256
#: Bytes that one thread may use for sums per cluster; many clusters mean fewer rows per block.
SUMS_BYTES = 48 * 2**20


@dataclass(frozen=True)
class _Pass:
    """What every block of rows reads.

    ``columns @ rows.T`` is the squared distance of every column to every row.
    """

    columns: NDArray[np.float64]
    rows: NDArray[np.float64]
    place: NDArray[np.int64]  # of each row among the columns
    codes: NDArray[np.int32]  # cluster of each row, one line per label set
    resolution: NDArray[np.float64]  # distance from each row that is zero but for rounding
    groups: JointGroups
    counts: list[NDArray[np.int64]]
    dtype: Any


def silhouettes(
    X: NDArray[np.float64],
    partitions: Sequence[Partition],
    rows: NDArray[np.int64],
    *,
    threads: int,
    advance: Callable[[float], None],
) -> NDArray[np.float64]:
    """Score `rows` against all rows of `X`, in every label set.

    Squared distances come from a matrix product on centred data; their rounding is about 1e-15 of
    the squared distance from the mean. A row whose `a` and `b` are both below that resolution
    (copies of one row in two clusters) scores 0, as it would in exact arithmetic. Values do not
    depend on `threads`.

    Parameters
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
        All rows.
    partitions : sequence of Partition
        Label sets of these rows, each with at least two clusters.
    rows : ndarray of int64, shape (n_scored,)
        The rows to score, without repetition.
    threads : int
        Threads to use, each with a working memory of some 60 MB at most.
    advance : callable
        Told the number of rows after each block.

    Returns
    -------
    ndarray of float64, shape (n_sets, n_scored)
        Silhouettes; 0 for the only row of a cluster, NaN where the row is noise in that set.
    """
    dtype = np.dtype(np.float32 if len(rows) < len(X) else np.float64)
    values = np.full((len(partitions), len(rows)), np.nan)
    scored = np.flatnonzero(np.any([part.codes[rows] >= 0 for part in partitions], axis=0))
    work = _prepare(X, partitions, rows[scored], dtype)
    height = _block_rows(work.groups)
    blocks = [slice(i, min(i + height, len(scored))) for i in range(0, len(scored), height)]

    def run(block: slice) -> None:
        values[:, scored[block]] = _block(work, block)
        advance(block.stop - block.start)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, blocks):
            pass
    advance(len(rows) - len(scored))
    return values


def _prepare(
    X: NDArray[np.float64], partitions: Sequence[Partition], rows: NDArray[np.int64], dtype: Any
) -> _Pass:
    """Sort columns by joint group and extend rows and columns by their squared norms."""
    groups = joint_groups(partitions, TILE_COLUMNS, dtype)
    n_features = X.shape[1]
    center = X.mean(axis=0)
    columns = np.ones((len(groups.order), n_features + 2))
    np.subtract(X[groups.order], center, out=columns[:, :n_features])
    _squared_norms(columns[:, :n_features], columns[:, -1])
    scored = np.ones((len(rows), n_features + 2))
    centered = X[rows] - center
    np.multiply(centered, -2, out=scored[:, :n_features])
    _squared_norms(centered, scored[:, -2])
    place = np.full(len(X), -1, np.int64)
    place[groups.order] = np.arange(len(groups.order))
    return _Pass(
        columns=columns,
        rows=scored,
        place=place[rows],
        codes=np.stack([part.codes[rows] for part in partitions]),
        resolution=np.sqrt(4 * (n_features + 2) * np.finfo(float).eps * scored[:, -2]),
        groups=groups,
        counts=[part.counts for part in partitions],
        dtype=dtype,
    )


def _squared_norms(X: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    np.einsum("ij,ij->i", X, X, out=out)


def _block_rows(groups: JointGroups) -> int:
    """Return how many rows one block may have within `SUMS_BYTES`."""
    # A fold makes the sums of its clusters and a second copy while adding them.
    busiest = max(len(tile.clusters) for tile in groups.tiles)
    row_bytes = 8 * (int(groups.offsets[-1]) + 2 * busiest)
    return max(1, min(BLOCK_ROWS, SUMS_BYTES // row_bytes))


def _block(work: _Pass, block: slice) -> NDArray[np.float64]:
    """Return the silhouettes of one block of rows, shape (n_sets, n_rows)."""
    height = block.stop - block.start
    right = np.ascontiguousarray(work.rows[block].T)
    totals = np.zeros((int(work.groups.offsets[-1]), height))
    squares = np.empty(TILE_COLUMNS * height)
    distances = squares if work.dtype == squares.dtype else np.empty(squares.size, work.dtype)
    for tile in work.groups.tiles:
        shape = (tile.stop - tile.start, height)
        size = shape[0] * height
        square = squares[:size].reshape(shape)
        np.matmul(work.columns[tile.start : tile.stop], right, out=square)
        _forget_self(square, work.place[block] - tile.start)
        distance = distances[:size].reshape(shape)
        if distance.dtype != square.dtype:
            np.copyto(distance, square, casting="same_kind")
        _add(totals, tile, _root(distance))
    return _scores(totals, work, block)


def _forget_self(square: NDArray[np.float64], place: NDArray[np.int64]) -> None:
    """Set the distance of a row to itself to exactly 0."""
    here = np.flatnonzero((place >= 0) & (place < len(square)))
    square[place[here], here] = 0


def _root(distance: NDArray[Any]) -> NDArray[Any]:
    """Take square roots in place; what rounding made negative is 0."""
    # A row of zeros is three times faster than the scalar 0.
    np.maximum(distance, np.zeros(distance.shape[1], distance.dtype), out=distance)
    np.sqrt(distance, out=distance)
    return distance


def _add(totals: NDArray[np.float64], tile: Tile, distance: NDArray[Any]) -> None:
    """Add the sums of one tile to the totals per cluster."""
    runs = (tile.sums @ distance).astype(np.float64, copy=False)
    totals[tile.clusters] += tile.fold @ runs


def _scores(totals: NDArray[np.float64], work: _Pass, block: slice) -> NDArray[np.float64]:
    """Turn summed distances per cluster into silhouettes; `totals` is used up."""
    values = np.full((len(work.counts), block.stop - block.start), np.nan)
    offsets = work.groups.offsets
    for index, counts in enumerate(work.counts):
        codes = work.codes[index, block]
        inside = np.flatnonzero(codes >= 0)
        own = codes[inside]
        means = totals[offsets[index] : offsets[index + 1]]
        a = means[own, inside] / np.maximum(counts[own] - 1, 1)
        means /= counts[:, None]
        means[own, inside] = np.inf
        b = means.min(axis=0)[inside]
        larger = np.maximum(a, b)
        known = (counts[own] > 1) & (larger > work.resolution[block][inside])
        values[index, inside] = np.divide(b - a, larger, out=np.zeros(len(own)), where=known)
    return values
