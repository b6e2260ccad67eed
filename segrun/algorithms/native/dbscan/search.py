"""All pairs of rows within eps, leaf by leaf.

Leaves whose boxes are too far apart are passed over; of the others, only rows close to the
other's box are compared, in single precision. Where that does not tell on which side of an eps
a pair is, its distance is computed anew from the original rows, as scikit-learn does it.
"""

from __future__ import annotations

import numpy as np

from segrun.algorithms.native.dbscan.leaves import LANES, MAX_DOUBTS, WIDTH
from segrun.algorithms.native.jit import fast_kernel, kernel
from segrun.algorithms.native.simd import COLUMNS, ROWS, block_squares, first_bit, lanes_within

#: Below this, numbers of single precision lose digits.
_TINY = 1e-37
#: What two leaves take besides comparisons, in pairs of rows compared.
_FIXED = 500
#: Bits of the rows of a block, and of half a leaf.
_BLOCK, _HALF = (1 << ROWS) - 1, (1 << COLUMNS) - 1
#: Bytes of a block's distances per row.
_LINE = 4 * COLUMNS


@kernel
def search(leaves, X, norms, longest, limits, settled, hits, at, step, work):  # type: ignore[no-untyped-def]
    """Go on with every `step`-th leaf; return whether that was the last one.

    `at` is the leaf to go on with and the first of the others. The search pauses when `hits` is
    full, or after `work` pairs of rows. Leaves whose `settled` are equal, and not negative, at
    each point are passed over.
    """
    # One long function: handing arrays on takes longer than most of what is done with them.
    low, high, rows, tiles = leaves.low, leaves.high, leaves.rows, leaves.tiles
    near, bound, box, tops, sures = hits.near, hits.bound, hits.box, hits.tops, hits.sures
    places, masks, wholes, sizes = hits.places, hits.masks, hits.wholes, hits.sizes
    n_leaves, n_features = low.shape
    n_eps, stride, room = tops.size, rows.shape[1], masks.shape[1] - WIDTH
    out = hits.out.ctypes.data
    n_compared = 0
    while at[0] < n_leaves:
        a = at[0]
        box_distances(leaves.lows, leaves.highs, a, near)
        work -= (n_leaves - a) / 16
        for b in range(max(a, at[1]), n_leaves):
            length = leaves.longest[a] + leaves.longest[b]
            square = longest[a] + longest[b]
            top = _top(limits, n_eps - 1, length, square)
            if near[b] > top or _both_settled(settled, a, b):
                continue
            if n_compared > work or sizes.max() > room:
                at[1] = b
                hits.n_compared[0] += n_compared
                return False
            work -= _FIXED
            for e in range(n_eps):
                sures[e], tops[e] = (
                    _sure(limits, e, length, square),
                    _top(limits, e, length, square),
                )
            if a == b:
                chosen = -1 if a * WIDTH + WIDTH <= norms.size else (1 << norms.size % WIDTH) - 1
                wanted = chosen
            else:
                # All within one eps, and none within a smaller one.
                e = _whole(farthest_corners(low, high, a, b), near[b], sures, tops)
                if e >= 0:
                    wholes[e, sizes[1, e]] = a << 32 | b
                    sizes[1, e] += 1
                    continue
                chosen = close_rows(tiles, a, low, high, b, bound, top)
                if chosen == 0:
                    continue
                box_around(rows, a, chosen, box)
                wanted = close_rows(tiles, b, box[:1], box[1:], 0, bound, top)
            if wanted == 0:
                continue
            column = tiles.ctypes.data + _LINE * 2 * n_features * b
            for q in range(0, WIDTH, ROWS):
                if chosen >> q & _BLOCK == 0:
                    continue
                # Of one leaf with itself, each pair once.
                live = wanted if a != b else wanted & (-2 << q)
                row = rows.ctypes.data + 4 * stride * (a * WIDTH + q)
                if live & _HALF != 0:
                    block_squares(column, row, stride, n_features, out)
                    n_compared += ROWS * COLUMNS
                if live >> COLUMNS & _HALF != 0:
                    block_squares(column + _LINE, row, stride, n_features, out + ROWS * _LINE)
                    n_compared += ROWS * COLUMNS
                for u in range(ROWS):
                    i, line = q + u, out + u * _LINE
                    if a == b:
                        live &= -2 << i
                    above = _bits(line, top) & live
                    if above == 0 or chosen >> i & 1 == 0:
                        continue
                    for e in range(n_eps - 1, -1, -1):
                        mask = _bits(line, tops[e]) & above
                        band = mask & ~_bits(line, sures[e])
                        if band != 0:
                            mask ^= _outside(
                                leaves.row_at, X, norms, limits, hits, e, a * WIDTH + i, b, band
                            )
                        if e < n_eps - 1 and above & ~mask != 0:
                            places[e + 1, sizes[0, e + 1]] = (a * WIDTH + i) << 32 | b
                            masks[e + 1, sizes[0, e + 1]] = above & ~mask
                            sizes[0, e + 1] += 1
                        above = mask
                        if above == 0:
                            break
                    if above != 0:
                        places[0, sizes[0, 0]] = (a * WIDTH + i) << 32 | b
                        masks[0, sizes[0, 0]] = above
                        sizes[0, 0] += 1
        at[0] += step
        at[1] = 0
    hits.n_compared[0] += n_compared
    return True


@kernel
def _top(limits, e, length, square):  # type: ignore[no-untyped-def]
    """Return the squared distance beyond which no pair is within eps."""
    eps = limits.eps[e] + limits.per_length * length
    more = limits.slack[e] + limits.scale2 * limits.per_square * square
    return np.float32(eps * eps * (1 + limits.per_total) + more + _TINY)


@kernel
def _sure(limits, e, length, square):  # type: ignore[no-untyped-def]
    """Return the squared distance up to which every pair is within eps."""
    eps = max(0.0, limits.eps[e] - limits.per_length * length)
    more = limits.slack[e] + limits.scale2 * limits.per_square * square
    return np.float32(eps * eps * (1 - limits.per_total) - more - _TINY)


@kernel
def _whole(farthest, nearest, sures, tops):  # type: ignore[no-untyped-def]
    """Return the eps that all pairs of two leaves are first within, -1 if they differ."""
    for e in range(sures.size):
        if farthest <= sures[e]:
            return e
        if nearest <= tops[e]:
            return -1
    return -1


@kernel
def _both_settled(settled, a, b):  # type: ignore[no-untyped-def]
    for p in range(settled.shape[0]):
        if settled[p, a] < 0 or settled[p, a] != settled[p, b]:
            return False
    return settled.shape[0] > 0


@kernel
def _bits(line, limit):  # type: ignore[no-untyped-def]
    """Return a bit for each distance of one row to a leaf, kept in two halves."""
    return lanes_within(line, limit) | lanes_within(line + ROWS * _LINE, limit) << COLUMNS


@kernel
def _outside(row_at, X, norms, limits, hits, e, place, b, band):  # type: ignore[no-untyped-def]
    """Return those of some rows of a leaf that are not within eps; note those in doubt."""
    found = 0
    x = X[row_at[place]]
    while band != 0:
        j = first_bit(band)
        band &= band - 1
        other = b * WIDTH + j
        square = _square(x, X[row_at[other]])
        more = limits.per_square * (norms[place] + norms[other])
        if square < limits.low[e] - more:
            continue
        found |= 1 << j
        if square <= limits.high[e] + more:
            n = hits.n_doubts[e]
            if n < MAX_DOUBTS:
                hits.doubts[e, n, 0], hits.doubts[e, n, 1] = place, other
            hits.n_doubts[e] = n + 1
    return found


@kernel
def _square(x, y):  # type: ignore[no-untyped-def]
    """Add up squared differences feature by feature, as scikit-learn does."""
    total = 0.0
    for d in range(x.size):
        apart = x[d] - y[d]
        total += apart * apart
    return total


@fast_kernel
def box_distances(lows, highs, a, near):  # type: ignore[no-untyped-def]
    """Store the squared distance of box `a` to itself and those behind it."""
    for b in range(a, near.size):
        near[b] = 0
    for d in range(lows.shape[0]):
        low, high = lows[d, a], highs[d, a]
        for b in range(a, near.size):
            apart = max(lows[d, b] - high, low - highs[d, b], np.float32(0))
            near[b] += apart * apart


@fast_kernel
def farthest_corners(low, high, a, b):  # type: ignore[no-untyped-def]
    """Return the squared distance of the corners of two boxes that are farthest apart."""
    total = np.float32(0)
    for d in range(low.shape[1]):
        apart = max(high[b, d] - low[a, d], high[a, d] - low[b, d])
        total += apart * apart
    return total


@kernel
def close_rows(tiles, a, low, high, b, bound, top):  # type: ignore[no-untyped-def]
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
def box_around(rows, a, chosen, box):  # type: ignore[no-untyped-def]
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
