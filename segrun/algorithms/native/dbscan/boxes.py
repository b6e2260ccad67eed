"""Distances between rows and the boxes that leaves lie in, in single precision."""

from __future__ import annotations

import numpy as np

from segrun.algorithms.native.dbscan.leaves import LANES, WIDTH
from segrun.algorithms.native.jit import fast_kernel, kernel
from segrun.algorithms.native.simd import COLUMNS, first_bit, lanes_within


@fast_kernel
def distances(lows, highs, a, near):  # type: ignore[no-untyped-def]
    """Store the squared distance of box `a` to itself and those behind it."""
    for b in range(a, near.size):
        near[b] = 0
    for d in range(lows.shape[0]):
        low, high = lows[d, a], highs[d, a]
        for b in range(a, near.size):
            apart = max(lows[d, b] - high, low - highs[d, b], np.float32(0))
            near[b] += apart * apart


@fast_kernel
def farthest(low, high, a, b):  # type: ignore[no-untyped-def]
    """Return the squared distance of the corners of two boxes that are farthest apart."""
    total = np.float32(0)
    for d in range(low.shape[1]):
        apart = max(high[b, d] - low[a, d], high[a, d] - low[b, d])
        total += apart * apart
    return total


@kernel
def close(tiles, a, low, high, b, bound, top):  # type: ignore[no-untyped-def]
    """Return a bit for each row of a leaf that is close to a box."""
    _distances_to_box(tiles, a, low, high, b, bound)
    address = bound.ctypes.data
    return lanes_within(address, top) | lanes_within(address + 4 * COLUMNS, top) << COLUMNS


@fast_kernel
def _distances_to_box(tiles, a, low, high, b, out):  # type: ignore[no-untyped-def]
    for j in range(WIDTH):
        out[j] = 0
    for d in range(tiles.shape[1]):
        least, most = low[b, d], high[b, d]
        for j in range(WIDTH):
            value = tiles[a, d, j]
            apart = max(least - value, value - most, np.float32(0))
            out[j] += apart * apart


@fast_kernel
def around(rows, a, chosen, box):  # type: ignore[no-untyped-def]
    """Store the box around some rows of a leaf."""
    i = a * WIDTH + first_bit(chosen)
    box[0] = rows[i]
    box[1] = rows[i]
    chosen &= chosen - 1
    while chosen != 0:
        i = a * WIDTH + first_bit(chosen)
        chosen &= chosen - 1
        for start in range(0, rows.shape[1], LANES):
            for d in range(start, start + LANES):
                box[0, d] = min(box[0, d], rows[i, d])
                box[1, d] = max(box[1, d], rows[i, d])
