"""Summed distances from rows to clusters: by a compiled kernel, or by matrix products at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from segrun.evaluation.partition import JointGroups

#: Bytes that one thread may use for sums per cluster; many clusters mean fewer rows per block.
SUMS_BYTES = 48 * 2**20
#: Rows that the kernel takes at once.
LANES = 64
#: Blocks of rows at once: turning sums into silhouettes is numpy's, and wants some rows.
BLOCKS = 4
#: Columns per tile and most rows per block: distances of one tile fit the second-level cache.
TILE_COLUMNS = 2048
BLOCK_ROWS = 256


@dataclass(frozen=True)
class DistanceSums:
    """Summed distances from scored rows to clusters, computed on demand."""

    height: int  # rows to ask for at once
    resolution: NDArray[np.float64]  # of each row the mean distance that is zero but for rounding
    #: Takes a slice of scored rows and returns an array of its own, shape (n_clusters, n_rows):
    #: distances to every cluster, counted through the label sets. Their unit does not matter.
    of: Callable[[slice], NDArray[Any]]


def fits(groups: JointGroups) -> bool:
    """Tell whether the sums of one block stay within `SUMS_BYTES`."""
    return _block_bytes(groups) <= SUMS_BYTES


def _block_bytes(groups: JointGroups) -> int:
    return 8 * LANES * groups.n_clusters


def compiled_sums(
    X: NDArray[np.float64], groups: JointGroups, rows: NDArray[np.int64]
) -> DistanceSums:
    """Prepare sums by the kernel: to about 1e-7, copies of a row at exactly 0."""
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

    return DistanceSums(blocks * LANES, np.zeros(len(rows)), of)


def _scale(X: NDArray[np.float64]) -> float:
    """Return the power of two that brings squares into the range of single precision."""
    _, exponent = math.frexp(float(np.ptp(X, axis=0).max()))
    return math.ldexp(1.0, -exponent)


@dataclass(frozen=True)
class Tile:
    """Consecutive columns, and how their distances become sums per cluster.

    ``fold @ (sums @ distances)`` has one row for every cluster in `clusters`.
    """

    start: int  # positions in `JointGroups.order`
    stop: int
    sums: csr_array  # (n_runs, stop - start): adds up columns of the same joint group
    fold: csr_array  # (len(clusters), n_runs): adds up the runs that make up a cluster
    clusters: NDArray[np.int64]  # those of all label sets that have columns here


def product_sums(
    X: NDArray[np.float64], groups: JointGroups, rows: NDArray[np.int64]
) -> DistanceSums:
    """Prepare sums by ``columns @ scored.T``, the squared distances of centred data.

    Their rounding is about 1e-15 of the squared distance from the mean.
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
    place, tiles = place[rows], plan_tiles(groups)

    def of(block: slice) -> NDArray[np.float64]:
        height = block.stop - block.start
        right = np.ascontiguousarray(scored[block].T)
        totals = np.zeros((groups.n_clusters, height))
        distances = np.empty(TILE_COLUMNS * height)
        # A row of zeros is three times faster than the scalar 0.
        zeros = np.zeros(height)
        for tile in tiles:
            shape = (tile.stop - tile.start, height)
            distance = distances[: shape[0] * height].reshape(shape)
            np.matmul(columns[tile.start : tile.stop], right, out=distance)
            _forget_self(distance, place[block] - tile.start)
            np.maximum(distance, zeros, out=distance)  # rounding makes some negative
            np.sqrt(distance, out=distance)
            totals[tile.clusters] += tile.fold @ (tile.sums @ distance)
        return totals

    resolution = np.sqrt(4 * (n_features + 2) * np.finfo(float).eps * scored[:, -2])
    return DistanceSums(block_rows(tiles, groups), resolution, of)


def _squared_norms(X: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    np.einsum("ij,ij->i", X, X, out=out)


def block_rows(tiles: list[Tile], groups: JointGroups) -> int:
    """Return how many rows one block may have within `SUMS_BYTES`."""
    # A fold makes the sums of its clusters and a second copy while adding them.
    busiest = max(len(tile.clusters) for tile in tiles)
    row_bytes = 8 * (groups.n_clusters + 2 * busiest)
    return max(1, min(BLOCK_ROWS, SUMS_BYTES // row_bytes))


def _forget_self(square: NDArray[np.float64], place: NDArray[np.int64]) -> None:
    """Set the distance of a row to itself to exactly 0."""
    here = np.flatnonzero((place >= 0) & (place < len(square)))
    square[place[here], here] = 0


def plan_tiles(groups: JointGroups) -> list[Tile]:
    """Plan the sums over all columns, `TILE_COLUMNS` at a time."""
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
