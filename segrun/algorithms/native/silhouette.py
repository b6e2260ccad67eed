"""Sums of distances from scored rows to the clusters of many label sets.

Sixty-four scored rows lie side by side in vector registers and all other rows pass by, four at a
time, sorted by joint group. Sums then need no adding across a register, and a joint group of
three rows costs no more than three rows.

Distances are single precision, of differences and not by a dot product: copies are at distance
exactly 0. Before, both rows are shifted by a center near the rows that pass by, in double
precision. Rounding the shifted rows moves a sum by no more than some 6e-8 times all distances to
that center; where these exceed `ROUNDINGS` times the sum, the sum is taken again in double
precision. So every sum has a relative error of some 1e-7, for clusters as tight, as small and as
far from each other as they may be.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segrun.algorithms.native.jit import kernel
from segrun.algorithms.native.simd import COLUMNS, ROWS, TILE, block_squares

#: Columns that share a center.
SPAN = 64

#: Distances to the center over distances to a row, above which these are taken again. It is at
#: most 3 for columns of one joint group whose mean is the center: a mean is no farther from a row
#: than the columns are on average, and columns are no farther from it than twice that.
ROUNDINGS = 4.0

_FLOAT_BYTES = 4


@kernel
def shift_columns(columns: Any) -> Any:
    """Subtract a center near every `SPAN` columns."""
    n_columns, n_features = columns.shape
    centers = np.zeros((-(-n_columns // SPAN), n_features))
    shifted = np.zeros((-(-n_columns // ROWS) * ROWS, n_features), np.float32)
    away = np.zeros(n_columns)
    for number in range(len(centers)):
        center = centers[number]
        first = number * SPAN
        last = min(first + SPAN, n_columns)
        # From the first on, since the mean of copies may differ from them in its last bit.
        for column in range(first, last):
            for feature in range(n_features):
                center[feature] += columns[column, feature] - columns[first, feature]
        for feature in range(n_features):
            center[feature] = columns[first, feature] + center[feature] / (last - first)
        for column in range(first, last):
            for feature in range(n_features):
                difference = columns[column, feature] - center[feature]
                shifted[column, feature] = np.float32(difference)
                away[column] += difference * difference
            away[column] = math.sqrt(away[column])
    return shifted, centers, away


@kernel
def add_distances(  # type: ignore[no-untyped-def]
    columns, shifted, centers, reach, stops, groups, members, rows, totals
):
    """Add the distances of 64 rows to the totals of the clusters."""
    n_columns, n_features = columns.shape
    tile = np.empty((n_features, TILE), np.float32)
    to_center = np.empty(TILE)
    squares = np.empty((TILE // COLUMNS, ROWS, COLUMNS), np.float32)
    total = np.zeros(TILE)
    run = begin = 0
    for number in range(len(centers)):
        _shift(rows, centers[number], tile, to_center)
        last = min((number + 1) * SPAN, n_columns)
        for first in range(number * SPAN, last, ROWS):
            for half in range(TILE // COLUMNS):
                block_squares(
                    tile.ctypes.data + _FLOAT_BYTES * half * COLUMNS,
                    shifted.ctypes.data + _FLOAT_BYTES * first * n_features,
                    n_features,
                    n_features,
                    squares.ctypes.data + _FLOAT_BYTES * half * ROWS * COLUMNS,
                )
            whole = first + ROWS <= stops[run]
            if whole:
                _add_four(squares, total)
            for step in range(min(ROWS, last - first)):
                if not whole:
                    _add_one(squares, step, total)
                if first + step + 1 == stops[run]:
                    _mend(columns[begin : stops[run]], rows, reach[run], to_center, total)
                    _fold(total, members[groups[run]], totals)
                    begin = stops[run]
                    run += 1


@kernel
def _shift(rows: Any, center: Any, tile: Any, to_center: Any) -> None:
    """Fill `tile` with the rows less the center, and `to_center` with their distances from it."""
    for lane in range(TILE):
        to_center[lane] = 0.0
    for feature in range(len(center)):
        for lane in range(TILE):
            difference = rows[feature, lane] - center[feature]
            tile[feature, lane] = np.float32(difference)
            to_center[lane] += difference * difference
    for lane in range(TILE):
        to_center[lane] = math.sqrt(to_center[lane])


@kernel
def _add_four(squares: Any, total: Any) -> None:
    for half in range(TILE // COLUMNS):
        of_half = squares[half]
        for lane in range(COLUMNS):
            # Four at most in single precision: many equal distances would all err to one side.
            total[half * COLUMNS + lane] += np.float64(
                (math.sqrt(of_half[0, lane]) + math.sqrt(of_half[1, lane]))
                + (math.sqrt(of_half[2, lane]) + math.sqrt(of_half[3, lane]))
            )


@kernel
def _add_one(squares: Any, step: Any, total: Any) -> None:
    for half in range(TILE // COLUMNS):
        for lane in range(COLUMNS):
            total[half * COLUMNS + lane] += np.float64(math.sqrt(squares[half, step, lane]))


@kernel
def _mend(columns: Any, rows: Any, reach: Any, to_center: Any, total: Any) -> None:
    """Take sums again, in double precision, that are small beside the distances to the center."""
    n_imprecise = 0
    for lane in range(TILE):
        n_imprecise += len(columns) * to_center[lane] + reach > ROUNDINGS * total[lane]
    if n_imprecise == 0:
        return
    for lane in range(TILE):
        if len(columns) * to_center[lane] + reach > ROUNDINGS * total[lane]:
            total[lane] = 0.0
            for column in range(len(columns)):
                square = 0.0
                for feature in range(columns.shape[1]):
                    difference = columns[column, feature] - rows[feature, lane]
                    square += difference * difference
                total[lane] += math.sqrt(square)


@kernel
def _fold(total: Any, lines: Any, totals: Any) -> None:
    """Add the sums of one run to its cluster in every label set, and begin anew."""
    for line in lines:
        if line >= 0:
            sums = totals[line]
            for lane in range(TILE):
                sums[lane] += total[lane]
    for lane in range(TILE):
        total[lane] = 0.0
