"""All pairs of rows within eps, leaf by leaf.

Leaves whose boxes are too far apart are passed over; of the others, only rows close to the
other's box are compared, in single precision. Where that does not tell on which side of an eps
a pair is, its distance is computed anew from the original rows, as scikit-learn does it.
"""

from __future__ import annotations

import numpy as np

from segrun.native.dbscan.hits import MAX_DOUBTS
from segrun.native.dbscan.leaves import WIDTH
from segrun.native.jit import fast_kernel, kernel
from segrun.native.simd import COLUMNS, ROWS, block_squares, count_bits, first_bit, lanes_within

#: Below this, numbers of single precision lose digits.
_TINY = 1e-37
#: Columns from which on a whole tile is compared rather than a copy of those wanted.
_MANY = 40
#: Size of the work on two leaves that is none of the comparisons, in distances.
_FIXED = 200


@kernel
def search(leaves, X, norms, longest, limits, settled, hits, at, step, work):  # type: ignore[no-untyped-def]
    """Go on with every `step`-th leaf; return whether that was the last one.

    Parameters
    ----------
    leaves : Leaves
        The rows.
    X : ndarray of float64, shape (n_samples, n_features)
        The original ones.
    norms, longest : ndarray of float64, shapes (n_places,) and (n_leaves,)
        Squared lengths of the original rows at each place, and the largest in each leaf.
    limits : Limits
        What to compare with.
    settled : ndarray of int32, shape (n_points, n_leaves)
        Two leaves with equal values, not negative, at each point are passed over.
    hits : Hits
        Gets the pairs found; the search pauses when it is full.
    at : ndarray of int64, shape (2,)
        The leaf to go on with, and the first of the others; updated.
    step : int
        From one leaf to the next.
    work : float
        Distances after which to pause.
    """
    n_leaves, n_features = leaves.low.shape
    room = hits.places.shape[1] - WIDTH
    n_eps = limits.eps.size
    while at[0] < n_leaves:
        a = at[0]
        _box_distances(leaves.lows, leaves.highs, a, hits.near)
        work -= (n_leaves - a) / 16
        for b in range(max(a, at[1]), n_leaves):
            if hits.near[b] > _top(limits, leaves, longest, n_eps - 1, a, b):
                continue
            if _both_settled(settled, a, b):
                continue
            if work < 0 or hits.sizes.max() > room:
                at[1] = b
                return False
            for e in range(n_eps):
                hits.tops[e] = _top(limits, leaves, longest, e, a, b)
                hits.sures[e] = _sure(limits, leaves, longest, e, a, b)
            farthest = _farthest(leaves.low[a], leaves.high[a], leaves.low[b], leaves.high[b])
            if a != b and farthest <= hits.sures[0]:
                hits.wholes[hits.sizes[n_eps]] = a << 32 | b
                hits.sizes[n_eps] += 1
                work -= _FIXED
            else:
                work -= _FIXED + _compare(leaves, X, norms, limits, hits, a, b)
        at[0] += step
        at[1] = 0
    return True


@kernel
def _top(limits, leaves, longest, e, a, b):  # type: ignore[no-untyped-def]
    """Return the least squared distance from which on no pair is within eps."""
    eps = limits.eps[e] + limits.per_length * (leaves.longest[a] + leaves.longest[b])
    more = limits.slack[e] + limits.scale2 * limits.per_square * (longest[a] + longest[b])
    return np.float32(eps * eps * (1 + limits.per_total) + more + _TINY)


@kernel
def _sure(limits, leaves, longest, e, a, b):  # type: ignore[no-untyped-def]
    """Return the squared distance up to which every pair is within eps."""
    eps = limits.eps[e] - limits.per_length * (leaves.longest[a] + leaves.longest[b])
    more = limits.slack[e] + limits.scale2 * limits.per_square * (longest[a] + longest[b])
    if eps <= 0:
        return np.float32(-1)
    return np.float32(eps * eps * (1 - limits.per_total) - more - _TINY)


@kernel
def _both_settled(settled, a, b):  # type: ignore[no-untyped-def]
    for p in range(settled.shape[0]):
        if settled[p, a] < 0 or settled[p, a] != settled[p, b]:
            return False
    return settled.shape[0] > 0


@fast_kernel
def _box_distances(lows, highs, a, near):  # type: ignore[no-untyped-def]
    """Store the squared distance of box `a` to itself and those behind it."""
    for b in range(a, near.size):
        near[b] = 0
    for d in range(lows.shape[0]):
        low, high = lows[d, a], highs[d, a]
        for b in range(a, near.size):
            apart = max(max(lows[d, b] - high, low - highs[d, b]), np.float32(0))
            near[b] += apart * apart


@fast_kernel
def _farthest(low, high, other_low, other_high):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for d in range(low.size):
        apart = max(other_high[d] - low[d], high[d] - other_low[d])
        total += apart * apart
    return total


@fast_kernel
def _distances_to_box(tile, low, high, out):  # type: ignore[no-untyped-def]
    """Store the squared distance of 64 rows to a box."""
    for j in range(WIDTH):
        out[j] = 0
    for d in range(low.size):
        least, most = low[d], high[d]
        for j in range(WIDTH):
            apart = max(max(least - tile[d, j], tile[d, j] - most), np.float32(0))
            out[j] += apart * apart


@kernel
def _close(tile, low, high, bound, top):  # type: ignore[no-untyped-def]
    """Return a bit for each of 64 rows that is close to a box."""
    _distances_to_box(tile, low, high, bound)
    address = bound.ctypes.data
    return lanes_within(address, top) | lanes_within(address + 4 * COLUMNS, top) << COLUMNS


@fast_kernel
def _box_of(rows, n_rows, low, high):  # type: ignore[no-untyped-def]
    for d in range(low.size):
        low[d], high[d] = rows[0, d], rows[0, d]
    for q in range(1, n_rows):
        for d in range(low.size):
            low[d] = min(low[d], rows[q, d])
            high[d] = max(high[d], rows[q, d])


@kernel
def _compare(leaves, X, norms, limits, hits, a, b):  # type: ignore[no-untyped-def]
    """Record the pairs of two leaves within an eps; return how many were compared."""
    top = hits.tops[hits.tops.size - 1]
    near = _close(leaves.tiles[a], leaves.low[b], leaves.high[b], hits.bound, top)
    n_rows = 0
    numbers = near
    while numbers != 0:
        hits.rows[n_rows] = leaves.rows[a * WIDTH + first_bit(numbers)]
        numbers &= numbers - 1
        n_rows += 1
    if n_rows == 0:
        return 0
    _box_of(hits.rows, n_rows, hits.low, hits.high)
    wanted = _close(leaves.tiles[b], hits.low, hits.high, hits.bound, top)
    if wanted == 0:
        return 0
    chosen = count_bits(wanted)
    gathered = chosen <= _MANY and a != b
    if gathered:
        _gather(leaves.rows, b * WIDTH, wanted, hits.tile, hits.columns)
        tile = hits.tile
        valid = (1 << chosen) - 1
    else:
        tile = leaves.tiles[b]
        valid = -1
    n_compared = _compare_rows(
        leaves, X, norms, limits, hits, a, b, near, n_rows, tile, valid, gathered
    )
    hits.n_compared[0] += n_compared
    return n_compared


@kernel
def _gather(rows, base, wanted, tile, columns):  # type: ignore[no-untyped-def]
    """Copy the wanted rows of a leaf into a tile."""
    n_columns = 0
    while wanted != 0:
        j = first_bit(wanted)
        wanted &= wanted - 1
        for d in range(tile.shape[0]):
            tile[d, n_columns] = rows[base + j, d]
        columns[n_columns] = j
        n_columns += 1


@kernel
def _compare_rows(  # type: ignore[no-untyped-def]
    leaves, X, norms, limits, hits, a, b, near, n_rows, tile, valid, gathered
):
    """Compare the rows copied with a tile, four at a time."""
    n_features = tile.shape[0]
    half = 4 * COLUMNS
    out = hits.out.ctypes.data
    two = valid >> COLUMNS != 0
    for q in range(0, n_rows, ROWS):
        row = hits.rows.ctypes.data + 4 * n_features * q
        block_squares(tile.ctypes.data, row, n_features, n_features, out)
        if two:
            block_squares(tile.ctypes.data + half, row, n_features, n_features, out + ROWS * half)
        for u in range(min(ROWS, n_rows - q)):
            i = first_bit(near)
            near &= near - 1
            # Of one leaf with itself, each pair once.
            wanted = valid & (-2 << i) if a == b else valid
            place = a * WIDTH + i
            _record(X, norms, leaves.row_at, limits, hits, place, b, u, wanted, two, gathered)
    return (n_rows + ROWS - 1) // ROWS * ROWS * (WIDTH if two else COLUMNS)


@kernel
def _record(  # type: ignore[no-untyped-def]
    X, norms, row_at, limits, hits, place, b, u, wanted, two, gathered
):
    """Record what the u-th row of a block is within eps of."""
    address = hits.out.ctypes.data + 4 * COLUMNS * u
    n_eps = limits.eps.size
    above = 0
    for e in range(n_eps - 1, -1, -1):
        mask = lanes_within(address, hits.tops[e])
        if two:
            mask |= lanes_within(address + 4 * COLUMNS * ROWS, hits.tops[e]) << COLUMNS
        mask &= wanted
        if mask != 0:
            sure = lanes_within(address, hits.sures[e])
            if two:
                sure |= lanes_within(address + 4 * COLUMNS * ROWS, hits.sures[e]) << COLUMNS
            band = mask & ~sure
            while band != 0:
                j = first_bit(band)
                band &= band - 1
                other = b * WIDTH + (hits.columns[j] if gathered else j)
                if not _is_within(X, norms, row_at, limits, hits, e, place, other):
                    mask &= ~(1 << j)
        if e < n_eps - 1:
            _keep(hits, e + 1, place, b, above & ~mask, gathered)
        above = mask
        if mask == 0:
            return
    _keep(hits, 0, place, b, above, gathered)


@kernel
def _keep(hits, e, place, b, mask, gathered):  # type: ignore[no-untyped-def]
    if mask == 0:
        return
    if gathered:
        numbers = mask
        mask = 0
        while numbers != 0:
            mask |= 1 << hits.columns[first_bit(numbers)]
            numbers &= numbers - 1
    size = hits.sizes[e]
    hits.places[e, size] = place << 32 | b
    hits.masks[e, size] = mask
    hits.sizes[e] = size + 1


@kernel
def _is_within(X, norms, row_at, limits, hits, e, place, other):  # type: ignore[no-untyped-def]
    """Tell whether two rows are within eps; a pair in doubt is not, but recorded as such."""
    x, y = X[row_at[place]], X[row_at[other]]
    square = 0.0
    for d in range(x.size):
        apart = x[d] - y[d]
        square += apart * apart
    more = limits.per_square * (norms[place] + norms[other])
    if square < limits.low[e] - more:
        return True
    if square <= limits.high[e] + more:
        n = hits.n_doubts[e]
        if n < MAX_DOUBTS:
            hits.doubts[e, n, 0], hits.doubts[e, n, 1] = place, other
        hits.n_doubts[e] = n + 1
    return False
