"""Starting centres as scikit-learn draws them: k-means++ with several tries per centre.

Arthur and Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA 1027-1035;
the several tries are scikit-learn's. Only rows that a candidate could be nearer to than their
centre are computed in double precision.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.jit import fast_kernel, kernel
from segrun.algorithms.native.kmeans.lloyd import WIDTH, Tiles
from segrun.algorithms.native.simd import COLUMNS, ROWS, block_squares

_SINGLE = 2.0**-24
_DOUBLE = 2.0**-53
#: Relative error of sums over all rows, in any order.
_SUMS = 1e-11


def n_trials(n_clusters: int) -> int:
    """Return how many candidates are tried for every centre, as in scikit-learn."""
    return 2 + int(math.log(n_clusters))


def starting_rows(
    tiles: Tiles, n_clusters: int, tries: int, random_state: np.random.RandomState
) -> NDArray[np.int64]:
    """Return the rows that scikit-learn's k-means++ starts from, drawn from `random_state`.

    The first centres are those of fewer clusters, as long as `tries` is the same.
    """
    n_samples = len(tiles.X)
    state = random_state.get_state()
    first = random_state.choice(n_samples, p=np.full(n_samples, 1.0) / n_samples)
    draws = random_state.uniform(size=(n_clusters - 1, tries))
    padded = -(-tries // ROWS) * ROWS
    rows = np.empty(n_clusters, np.int64)
    closest = np.zeros(len(tiles.blocks) * WIDTH)
    clear = _draw(
        tiles.blocks,
        tiles.X,
        tiles.norms,
        float(tiles.norms.max()),
        first,
        draws,
        padded,
        closest,
        rows,
    )
    if clear:
        return rows
    from sklearn.cluster import kmeans_plusplus

    random_state.set_state(state)
    drawn = kmeans_plusplus(tiles.X, n_clusters, random_state=random_state, n_local_trials=tries)
    rows[:] = drawn[1]
    return rows


@kernel
def _draw(blocks, X, norms, longest, first, draws, padded, closest, rows):  # type: ignore[no-untyped-def]
    """Draw all centres; return False where rounding decides which."""
    n_samples, n_features = X.shape
    n_tiles, tries = blocks.shape[0], draws.shape[1]
    sums = np.empty(n_tiles)
    near = np.empty(n_tiles * WIDTH, np.float32)
    reach = np.empty(n_tiles * WIDTH, np.float32)
    for i in range(n_samples, n_tiles * WIDTH):
        near[i] = reach[i] = -1
    squares, spread = 0.0, 0.0
    for i in range(n_samples):
        closest[i] = _square(X[i], X[first])
        squares += norms[i] * norms[i]
        spread += (norms[i] + longest) ** 2
        near[i], reach[i] = _single(closest[i], norms[i] + longest, n_features)
    for t in range(n_tiles):
        sums[t] = _total(closest, t)
    gains = np.empty(tries)
    candidates = np.empty(tries, np.int64)
    rounded = np.zeros((padded, n_features), np.float32)
    out = np.empty((ROWS, COLUMNS), np.float32)
    rows[0] = first
    for c in range(1, rows.size):
        pot = 0.0
        for t in range(n_tiles):
            pot += sums[t]
        blur = _SUMS * pot + 4 * _DOUBLE * squares
        for u in range(tries):
            row = _find(sums, closest, draws[c - 1, u] * pot, n_samples, blur)
            if row < 0:
                return False
            candidates[u] = row
            gains[u] = 0.0
            for d in range(n_features):
                rounded[u, d] = X[row, d]
        for t in range(n_tiles):
            _gain(blocks[t], near, t * WIDTH, rounded, out, gains)
        # Rounding of the rows, and of products and sums, in single precision.
        rough = 1.1 * _SINGLE * (2 * math.sqrt(pot * spread) + (n_features + 40) * pot)
        best = _best(X, candidates, gains, closest, rough, blur)
        if best < 0:
            return False
        rows[c] = candidates[best]
        q = best // ROWS * ROWS
        for t in range(n_tiles):
            lowered = False
            for i in range(t * WIDTH, (t + 1) * WIDTH, COLUMNS):
                _squares(blocks[t], i, rounded[q], out)
                if not _any_within(out[best - q], reach, i):
                    continue
                for j in range(i, i + COLUMNS):
                    if out[best - q, j - i] <= reach[j]:
                        square = _square(X[j], X[rows[c]])
                        if square < closest[j]:
                            lowered = True
                            closest[j] = square
                            near[j], reach[j] = _single(square, norms[j] + longest, n_features)
            if lowered:
                sums[t] = _total(closest, t)
    return True


@kernel
def _best(X, candidates, gains, closest, rough, blur):  # type: ignore[no-untyped-def]
    """Return the candidate that lowers the distances most, -1 in doubt.

    `gains`, known to `rough`, are computed anew, to `blur`, where that does not tell.
    """
    best, n_near = 0, 0
    for u in range(1, candidates.size):
        if gains[u] > gains[best]:
            best = u
    near = gains[best] - 2 * rough
    for u in range(candidates.size):
        n_near += gains[u] >= near
    if n_near == 1:
        return best
    for u in range(candidates.size):
        if gains[u] >= near:
            gains[u] = 0.0
            for i in range(X.shape[0]):
                gains[u] += max(0.0, closest[i] - _square(X[i], X[candidates[u]]))
    best = -1
    for u in range(candidates.size):
        if gains[u] >= near and (best < 0 or gains[u] > gains[best]):
            best = u
    for u in range(candidates.size):
        tied = gains[u] >= near and abs(gains[best] - gains[u]) <= 2 * blur
        if tied and _square(X[candidates[u]], X[candidates[best]]) > 0:
            return -1
    return best


@fast_kernel
def _square(x, y):  # type: ignore[no-untyped-def]
    total = 0.0
    for d in range(x.size):
        apart = x[d] - y[d]
        total += apart * apart
    return total


@kernel
def _total(closest, t):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(t * WIDTH, (t + 1) * WIDTH):
        total += closest[i]
    return total


@kernel
def _find(sums, closest, wanted, n_samples, blur):  # type: ignore[no-untyped-def]
    """Return the first row at which the running sum reaches `wanted`, -1 in doubt."""
    running = 0.0
    t = 0
    while t < sums.size - 1 and running + sums[t] < wanted:
        running += sums[t]
        t += 1
    i = t * WIDTH
    while i < n_samples - 1 and running + closest[i] < wanted:
        running += closest[i]
        i += 1
    # Not where the draw falls between two rows by less than sums are known to.
    clear = wanted - running > blur and running + closest[i] - wanted > blur
    return i if clear else -1


@fast_kernel
def _gain(tile, near, base, rounded, out, gains):  # type: ignore[no-untyped-def]
    """Add what each candidate would take off the distances of the rows of one tile."""
    for q in range(0, gains.size, ROWS):
        for i in range(base, base + WIDTH, COLUMNS):
            _squares(tile, i, rounded[q], out)
            for u in range(min(ROWS, gains.size - q)):
                gain = np.float32(0)
                for j in range(COLUMNS):
                    gain += max(np.float32(0), near[i + j] - out[u, j])
                gains[q + u] += gain


@kernel
def _squares(tile, i, row, out):  # type: ignore[no-untyped-def]
    """Compute distances of four rows, `row` the first, to those from the i-th on."""
    block_squares(
        tile.ctypes.data + 4 * (i % WIDTH), row.ctypes.data, row.size, row.size, out.ctypes.data
    )


@kernel
def _any_within(squares, reach, base):  # type: ignore[no-untyped-def]
    found = np.int32(0)
    for j in range(COLUMNS):
        found += np.int32(1) if squares[j] <= reach[base + j] else np.int32(0)
    return found > 0


@kernel
def _single(closest, scale, n_features):  # type: ignore[no-untyped-def]
    """Return a squared distance in single precision, and what others are up to if it is not less.

    `scale` is the length of both rows: rounding them moves each by that.
    """
    root = math.sqrt(closest) * (1 + (n_features + 4) * _SINGLE) + 2.1 * _SINGLE * scale
    return np.float32(closest), np.float32(root * root * (1 + 2 * _SINGLE))
