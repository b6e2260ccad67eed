"""Lloyd's iterations, compiled: the labels that scikit-learn's double precision gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.jit import kernel
from segrun.algorithms.native.simd import COLUMNS, ROWS, block_dots

#: Rows per tile, as `simd` has it.
WIDTH = 64


@dataclass(frozen=True)
class Tiles:
    """Centred rows, exact and in tiles."""

    #: (n_samples, n_features): rows minus their mean, as scikit-learn's k-means has them
    X: NDArray[np.float64]
    mean: NDArray[np.float64]  # (n_features,): the mean
    #: (n_tiles, n_features, 64): the same rounded to single precision; rows missing in the
    #: last tile are 0
    blocks: NDArray[np.float32]
    norms: NDArray[np.float32]  # (n_tiles * 64,): length of every centred row, rounded up
    squares: float  # sum of the squared lengths


def tiles(X: NDArray[np.float64]) -> Tiles:
    """Centre rows and put them into tiles."""
    n_samples, n_features = X.shape
    mean = X.mean(axis=0)
    centred = X - mean
    n_tiles = -(-n_samples // WIDTH)
    blocks = np.zeros((n_tiles, n_features, WIDTH), np.float32)
    whole = n_samples // WIDTH
    inside = centred[: whole * WIDTH].reshape(whole, WIDTH, n_features)
    blocks[:whole] = inside.transpose(0, 2, 1)
    rest = centred[whole * WIDTH :]
    if len(rest):
        blocks[-1, :, : len(rest)] = rest.T
    squares = np.einsum("ij,ij->i", centred, centred)
    norms = np.zeros(n_tiles * WIDTH, np.float32)
    norms[:n_samples] = np.sqrt(squares) * (1 + 1e-6)
    return Tiles(centred, mean, blocks, norms, float(squares.sum()))


#: How `advance` ends.
DONE, PAUSED, TIED, EMPTY = 0, 1, 2, 3

#: What `counters` of a trajectory hold.
ITERATIONS, MET, TAKEN, CHANGED = 0, 1, 2, 3

#: Half a unit in the last place of single and of double precision.
_SINGLE = 2.0**-24
_DOUBLE = 2.0**-53
#: No centre: padding up to a multiple of four.
_FAR = np.float32(3e38)
#: Iterations after which sums, updated by the rows that moved, are added up anew.
_REFRESH = 32
#: A shift this close to the tolerance, relative to it, could be on either side of it.
_CLOSE = 1e-9


@kernel
def _nearest_two(tile, centers, halves, dots, best, second, nearest):  # type: ignore[no-untyped-def]
    """Find the least and second least of ``|c|^2 / 2 - x c`` for the 64 rows of a tile."""
    n_features = tile.shape[0]
    for first in range(0, WIDTH, COLUMNS):
        for j in range(first, first + COLUMNS):
            best[j] = _FAR
            second[j] = _FAR
            nearest[j] = 0
        for q in range(0, centers.shape[0], ROWS):
            block_dots(
                tile.ctypes.data + 4 * first, centers[q].ctypes.data, n_features, n_features,
                dots.ctypes.data,
            )  # fmt: skip
            h0, h1, h2, h3 = halves[q], halves[q + 1], halves[q + 2], halves[q + 3]
            number = np.int32(q)
            for u in range(COLUMNS):
                j = first + u
                b, s, n = best[j], second[j], nearest[j]
                d = h0 - dots[0, u]
                s = min(s, max(b, d))
                n = number if d < b else n
                b = min(b, d)
                d = h1 - dots[1, u]
                s = min(s, max(b, d))
                n = number + np.int32(1) if d < b else n
                b = min(b, d)
                d = h2 - dots[2, u]
                s = min(s, max(b, d))
                n = number + np.int32(2) if d < b else n
                b = min(b, d)
                d = h3 - dots[3, u]
                s = min(s, max(b, d))
                n = number + np.int32(3) if d < b else n
                best[j] = min(b, d)
                second[j] = s
                nearest[j] = n


@kernel
def _settled(t, best, second, nearest, norms, labels, slope, offset):  # type: ignore[no-untyped-def]
    """Tell whether a whole tile keeps its labels beyond doubt."""
    open_rows = np.int32(0)
    for j in range(WIDTH):
        i = t * WIDTH + j
        clear = second[j] - best[j] > slope * norms[i] + offset
        open_rows += np.int32(0) if clear and labels[i] == nearest[j] else np.int32(1)
    return open_rows == 0


@kernel
def _decide(x, norm, centers, lengths, counts):  # type: ignore[no-untyped-def]
    """Return the nearest centre in double precision, and whether another is equally near.

    Equally near is what rounding may have decided: that of the distance, and that of the centres,
    which are sums of many rows.
    """
    least, other = np.inf, np.inf
    found, runner_up = 0, 0
    for q in range(centers.shape[0]):
        distance = 0.0
        for d in range(x.size):
            apart = x[d] - centers[q, d]
            distance += apart * apart
        if distance < least:
            other, runner_up = least, found
            least, found = distance, q
        elif distance < other:
            other, runner_up = distance, q
    if centers.shape[0] == 1:
        return found, False
    most = max(counts[found], counts[runner_up])
    length = norm + max(lengths[found], lengths[runner_up])
    return found, other - least <= 4 * (x.size + 8 + most) * _DOUBLE * length * length


@kernel
def assign(blocks, X, norms, centers, labels, sums, counts):  # type: ignore[no-untyped-def]
    """Give every row its nearest centre; keep sums and counts of the clusters up to date."""
    n_samples, n_features = X.shape
    n_clusters = centers.shape[0]
    padded = -(-n_clusters // ROWS) * ROWS
    rounded = np.zeros((padded, n_features), np.float32)
    halves = np.full(padded, _FAR, np.float32)
    lengths = np.empty(n_clusters)
    longest = 0.0
    for q in range(n_clusters):
        square = 0.0
        for d in range(n_features):
            rounded[q, d] = centers[q, d]
            square += centers[q, d] * centers[q, d]
        halves[q] = square / 2
        lengths[q] = np.sqrt(square)
        longest = max(longest, lengths[q])
    # Rounding of the values, of n_features products and sums, and of |c|^2 / 2, at both centres.
    slope = np.float32(2.1 * (n_features + 5) * _SINGLE * longest)
    offset = np.float32(2.1 * _SINGLE * longest * longest + 1e-30)
    dots = np.empty((ROWS, COLUMNS), np.float32)
    best = np.empty(WIDTH, np.float32)
    second = np.empty(WIDTH, np.float32)
    nearest = np.empty(WIDTH, np.int32)
    changed = 0
    for t in range(blocks.shape[0]):
        _nearest_two(blocks[t], rounded, halves, dots, best, second, nearest)
        base = t * WIDTH
        n_rows = min(WIDTH, n_samples - base)
        if n_rows == WIDTH and _settled(t, best, second, nearest, norms, labels, slope, offset):
            continue
        for j in range(n_rows):
            i = base + j
            new = nearest[j]
            # Written so that an overflow of single precision is decided anew as well.
            if not second[j] - best[j] > slope * norms[i] + offset:
                found, tied = _decide(X[i], norms[i], centers, lengths, counts)
                if tied:
                    return changed, True
                new = np.int32(found)
            old = labels[i]
            if old != new:
                changed += 1
                labels[i] = new
                counts[new] += 1
                for d in range(n_features):
                    sums[new, d] += X[i, d]
                if old >= 0:
                    counts[old] -= 1
                    for d in range(n_features):
                        sums[old, d] -= X[i, d]
    return changed, False


@kernel
def add_up(X, labels, sums):  # type: ignore[no-untyped-def]
    """Set `sums` to the sum of the rows of every cluster."""
    # Not by slices: checking their shapes alone takes 2.5 s to compile.
    for q in range(sums.shape[0]):
        for d in range(sums.shape[1]):
            sums[q, d] = 0.0
    for i in range(X.shape[0]):
        for d in range(X.shape[1]):
            sums[labels[i], d] += X[i, d]


@kernel
def _take(first, last, labels, centers, taken_labels, taken_centers):  # type: ignore[no-untyped-def]
    for t in range(first, last):
        for i in range(labels.size):
            taken_labels[t, i] = labels[i]
        for q in range(centers.shape[0]):
            for d in range(centers.shape[1]):
                taken_centers[t, q, d] = centers[q, d]


@kernel
def end_step(  # type: ignore[no-untyped-def]
    new, centers, labels, tols, max_iter, counters, taken_labels, taken_centers, n_iter
):
    """Go from the old centres to the new ones; see which tolerances are met by the step."""
    counters[ITERATIONS] += 1
    n_tols = tols.size
    if counters[CHANGED] == 0:
        # Labels are what they were: every tolerance ends here, with the centres of these labels.
        for t in range(counters[TAKEN], n_tols):
            n_iter[t] = counters[ITERATIONS]
        _take(counters[TAKEN], n_tols, labels, new, taken_labels, taken_centers)
        counters[TAKEN] = n_tols
        return DONE
    shift = 0.0
    for q in range(centers.shape[0]):
        for d in range(centers.shape[1]):
            apart = new[q, d] - centers[q, d]
            shift += apart * apart
            centers[q, d] = new[q, d]
    last = counters[ITERATIONS] == max_iter
    while counters[MET] < n_tols:
        tol = tols[counters[MET]]
        if abs(shift - tol) <= _CLOSE * tol and not last:
            return TIED
        if shift > tol and not last:
            break
        n_iter[counters[MET]] = counters[ITERATIONS]
        counters[MET] += 1
    return PAUSED


@kernel
def advance(  # type: ignore[no-untyped-def]
    blocks, X, norms, centers, labels, sums, counts, tols, max_iter, counters,
    taken_labels, taken_centers, n_iter, n_steps,
):  # fmt: skip
    """Iterate, at most `n_steps` times, until every tolerance is met.

    Labels of a tolerance that a step has met are those of its centres, which the next
    iteration computes anyway.
    """
    n_clusters, n_features = centers.shape
    new = np.empty((n_clusters, n_features))
    for _ in range(n_steps):
        if counters[ITERATIONS] % _REFRESH == _REFRESH - 1:
            add_up(X, labels, sums)
        counters[CHANGED], tied = assign(blocks, X, norms, centers, labels, sums, counts)
        if tied:
            return TIED
        if counters[TAKEN] < counters[MET]:
            _take(counters[TAKEN], counters[MET], labels, centers, taken_labels, taken_centers)
            counters[TAKEN] = counters[MET]
        if counters[TAKEN] == tols.size:
            return DONE
        for q in range(n_clusters):
            if counts[q] == 0:
                return EMPTY
            for d in range(n_features):
                new[q, d] = sums[q, d] / counts[q]
        status = end_step(
            new, centers, labels, tols, max_iter, counters, taken_labels, taken_centers, n_iter
        )
        if status != PAUSED:
            return status
    return PAUSED
