"""Summed distances by matrix products: the road for few rows, ready at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from segrun.evaluation.joint import JointGroups
from segrun.evaluation.sums import Sums

#: Columns per tile and most rows per block: distances of one tile fit the second-level cache.
TILE_COLUMNS = 2048
BLOCK_ROWS = 256
#: Bytes that one thread may use for sums per cluster; many clusters mean fewer rows per block.
SUMS_BYTES = 48 * 2**20


@dataclass(frozen=True)
class Tile:
    """Consecutive columns, and how their distances become sums per cluster.

    ``fold @ (sums @ distances)`` has one row for every cluster in `clusters`.

    Attributes
    ----------
    start, stop : int
        The columns, as positions in `JointGroups.order`.
    sums : sparse array of shape (n_runs, stop - start)
        Adds up columns of the same joint group.
    fold : sparse array of shape (len(clusters), n_runs)
        Adds up the runs that make up a cluster.
    clusters : ndarray of int64
        The clusters of all label sets that have columns here, counted through the sets.
    """

    start: int
    stop: int
    sums: csr_array
    fold: csr_array
    clusters: NDArray[np.int64]


@dataclass(frozen=True)
class _Pass:
    """What every block of rows reads.

    ``columns @ rows.T`` is the squared distance of every column to every row.
    """

    columns: NDArray[np.float64]
    rows: NDArray[np.float64]
    place: NDArray[np.int64]  # of each row among the columns
    tiles: list[Tile]
    n_clusters: int


def product_sums(X: NDArray[np.float64], groups: JointGroups, rows: NDArray[np.int64]) -> Sums:
    """Prepare the sums of distances from `rows` to the clusters of `groups`.

    Squared distances come from a matrix product on centred data; their rounding is about 1e-15 of
    the squared distance from the mean.

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
        In the unit of `X`.
    """
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
    work = _Pass(columns, scored, place[rows], plan_tiles(groups), groups.n_clusters)
    resolution = np.sqrt(4 * (n_features + 2) * np.finfo(float).eps * scored[:, -2])
    return Sums(block_rows(work.tiles, groups), resolution, lambda block: _block(work, block))


def _squared_norms(X: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    np.einsum("ij,ij->i", X, X, out=out)


def block_rows(tiles: list[Tile], groups: JointGroups) -> int:
    """Return how many rows one block may have within `SUMS_BYTES`."""
    # A fold makes the sums of its clusters and a second copy while adding them.
    busiest = max(len(tile.clusters) for tile in tiles)
    row_bytes = 8 * (groups.n_clusters + 2 * busiest)
    return max(1, min(BLOCK_ROWS, SUMS_BYTES // row_bytes))


def _block(work: _Pass, block: slice) -> NDArray[np.float64]:
    """Return the sums of one block of rows, shape (n_clusters, n_rows)."""
    height = block.stop - block.start
    right = np.ascontiguousarray(work.rows[block].T)
    totals = np.zeros((work.n_clusters, height))
    distances = np.empty(TILE_COLUMNS * height)
    # A row of zeros is three times faster than the scalar 0.
    zeros = np.zeros(height)
    for tile in work.tiles:
        shape = (tile.stop - tile.start, height)
        distance = distances[: shape[0] * height].reshape(shape)
        np.matmul(work.columns[tile.start : tile.stop], right, out=distance)
        _forget_self(distance, work.place[block] - tile.start)
        np.maximum(distance, zeros, out=distance)  # rounding makes some negative
        np.sqrt(distance, out=distance)
        totals[tile.clusters] += tile.fold @ (tile.sums @ distance)
    return totals


def _forget_self(square: NDArray[np.float64], place: NDArray[np.int64]) -> None:
    """Set the distance of a row to itself to exactly 0."""
    here = np.flatnonzero((place >= 0) & (place < len(square)))
    square[place[here], here] = 0


def plan_tiles(groups: JointGroups) -> list[Tile]:
    """Plan the sums over all columns, `TILE_COLUMNS` at a time.

    Parameters
    ----------
    groups : JointGroups
        The rows sorted.

    Returns
    -------
    list of Tile
        Memory grows with columns and runs x label sets, 4 bytes each.
    """
    # One array of ones serves every matrix: they differ in indices alone.
    ones = np.ones(TILE_COLUMNS * groups.members.shape[1])
    n_columns = len(groups.order)
    cuts = np.append(groups.runs(TILE_COLUMNS), n_columns)
    tiles = []
    for start in range(0, n_columns, TILE_COLUMNS):
        stop = min(start + TILE_COLUMNS, n_columns)
        first, last = np.searchsorted(cuts, (start, stop))
        members = groups.members[groups.groups[cuts[first:last]]]
        tiles.append(_tile(cuts[first : last + 1], members, ones))
    return tiles


def _tile(cuts: NDArray[np.int64], members: NDArray[np.int64], ones: NDArray[Any]) -> Tile:
    """Plan the sums over the runs between `cuts`, which are parts of the clusters `members`."""
    start, stop, n_runs = int(cuts[0]), int(cuts[-1]), len(members)
    sums = _ones_csr(cuts - start, np.arange(stop - start), (n_runs, stop - start), ones)
    run, _ = np.nonzero(members >= 0)
    members = members[members >= 0]
    by_cluster = np.argsort(members, kind="stable")
    present, counts = np.unique(members, return_counts=True)
    fold = _ones_csr(np.append(0, np.cumsum(counts)), run[by_cluster], (len(present), n_runs), ones)
    return Tile(start, stop, sums, fold, present)


def _ones_csr(
    indptr: NDArray[Any], indices: NDArray[Any], shape: tuple[int, int], ones: NDArray[Any]
) -> csr_array:
    """Return the sparse matrix of ones at `indices`, without a copy of `ones`."""
    index = (indices.astype(np.int32), indptr.astype(np.int32))
    return csr_array((ones[: len(indices)], *index), shape=shape)
