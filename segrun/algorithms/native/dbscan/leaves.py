"""Rows in leaves of 64 that lie close together, laid out for vector code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.jit import fast_kernel, kernel, spread

#: Rows of a leaf, as `simd` has its tiles.
WIDTH = 64
#: Values that the processor takes at a time.
LANES = 16
#: Rows within a leaf are split further, down to the rows of a block.
_FINEST = 4
#: Rows that the axes are taken from.
_SAMPLE = 4096
#: Features up to which rows are turned to their principal axes.
_MAX_AXES = 512
#: Longest row in single precision: squares of differences stay far from overflow.
_LONGEST = 1e17
#: Coordinate of rows that the last leaf lacks, far from any other.
_NOWHERE = 1e18
#: Rows that are split or filled in at one go: some 0.1 s.
_PIECE = 100_000


class Leaves(NamedTuple):
    """The rows, in the order of the leaves: a row's place is 64 * leaf + number in the leaf."""

    row_at: NDArray[np.int64]  # (n_places,): row of X at each place
    #: (n_leaves * 64, stride): centred, scaled and turned rows; behind the features, 0
    rows: NDArray[np.float32]
    tiles: NDArray[np.float32]  # (n_leaves, n_features, 64): the same, feature by feature
    low: NDArray[np.float32]  # (n_leaves, n_features): the box that each leaf lies in
    high: NDArray[np.float32]
    lows: NDArray[np.float32]  # (n_features, n_leaves): the same, feature by feature
    highs: NDArray[np.float32]
    longest: NDArray[np.float64]  # (n_leaves,): length of the longest of these rows


def leaves(
    X: NDArray[np.float64], chosen: NDArray[np.int64], eps: float, n_threads: int
) -> tuple[Leaves, float]:
    """Lay out the chosen rows of X; return them and the factor that distances are scaled by.

    Boxes are small, and most pairs of them far apart, if they follow the principal axes.
    """
    n_places, n_features = len(chosen), X.shape[1]
    sample = X[chosen[:: max(1, n_places // _SAMPLE)]]
    centre = sample.mean(axis=0)
    reach = float(max(np.abs(X.max(axis=0) - centre).max(), np.abs(X.min(axis=0) - centre).max()))
    # A power of two loses no digits.
    scale = min(1 / eps, _LONGEST / max(reach * n_features**0.5, eps))
    scale = 2.0 ** np.floor(np.log2(scale))
    axes = _axes((sample - centre) * scale)
    n_leaves = -(-n_places // WIDTH)
    turned = np.empty((n_places, n_features), np.float32)
    pieces = [slice(i, i + _PIECE) for i in range(0, n_places, _PIECE)]
    spread(lambda p: turn(X, chosen[p], centre, scale, axes, turned[p]), pieces, n_threads)
    order = _order(turned, n_threads)
    stride = -(-n_features // LANES) * LANES
    found = Leaves(
        row_at=chosen[order],
        rows=np.zeros((n_leaves * WIDTH, stride), np.float32),
        tiles=np.empty((n_leaves, n_features, WIDTH), np.float32),
        low=np.empty((n_leaves, n_features), np.float32),
        high=np.empty((n_leaves, n_features), np.float32),
        lows=np.empty((n_features, n_leaves), np.float32),
        highs=np.empty((n_features, n_leaves), np.float32),
        longest=np.empty(n_leaves),
    )
    n_leaves_each = _PIECE // WIDTH
    starts = range(0, n_leaves, n_leaves_each)
    spread(lambda a: fill(turned, order, found, a, a + n_leaves_each), starts, n_threads)
    return found, scale


def _axes(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return principal axes, the longest first."""
    n_features = sample.shape[1]
    if not 1 < n_features <= _MAX_AXES:
        return np.eye(n_features)
    spread_out = sample / max(1.0, float(np.abs(sample).max()))
    axes = np.linalg.eigh(spread_out.T @ spread_out)[1]
    return np.ascontiguousarray(axes[:, ::-1])


def _order(turned: NDArray[np.float32], n_threads: int) -> NDArray[np.int64]:
    """Return rows such that every 64 of them lie in a small box."""
    order = np.arange(len(turned))
    keys = np.empty(len(turned), np.float32)
    large, small = [(0, len(turned))], []
    while large:
        low, high = large.pop()
        if high - low <= max(WIDTH, min(_PIECE, len(turned) // n_threads)):
            small.append((low, high))
            continue
        middle = halve(turned, order, keys, low, high)
        large += [(low, middle), (middle, high)]
    spread(lambda ends: sort(turned, order, keys, *ends), small, n_threads)
    return order


@kernel
def turn(X, chosen, centre, scale, axes, out):  # type: ignore[no-untyped-def]
    """Store rows minus `centre`, times `scale`, along `axes` (columns)."""
    n_features = X.shape[1]
    total = np.empty(n_features)
    for i in range(chosen.size):
        total[:] = 0.0
        for d in range(n_features):
            value = (X[chosen[i], d] - centre[d]) * scale
            for k in range(n_features):
                total[k] += value * axes[d, k]
        for k in range(n_features):
            out[i, k] = total[k]


@kernel
def sort(turned, order, keys, low, high):  # type: ignore[no-untyped-def]
    """Split `order[low:high]` again and again."""
    ends = np.empty((64, 2), np.int64)
    ends[0, 0], ends[0, 1] = low, high
    n_waiting = 1
    while n_waiting > 0:
        n_waiting -= 1
        low, high = ends[n_waiting, 0], ends[n_waiting, 1]
        middle = halve(turned, order, keys, low, high)
        for start, stop in ((low, middle), (middle, high)):
            if stop - start > _FINEST:
                ends[n_waiting, 0], ends[n_waiting, 1] = start, stop
                n_waiting += 1


@kernel
def halve(turned, order, keys, low, high):  # type: ignore[no-untyped-def]
    """Split `order[low:high]` across its longest side; return where the upper part begins.

    Leaves stay full: only the last one of all may lack rows.
    """
    size = high - low
    unit = WIDTH if size > WIDTH else _FINEST
    middle = low + max(1, (size + unit - 1) // unit // 2) * unit
    if middle >= high:
        return high
    side = _longest_side(turned, order, low, high)
    for q in range(low, high):
        keys[q] = turned[order[q], side]
    first, last = low, high - 1
    while first < last:
        pivot = keys[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            last = j
        elif middle >= i:
            first = i
        else:
            break
    return middle


@fast_kernel
def _longest_side(turned, order, low, high):  # type: ignore[no-untyped-def]
    n_features = turned.shape[1]
    least, most = np.full(n_features, np.float32(3e38)), np.full(n_features, np.float32(-3e38))
    # A sample tells it well enough.
    for q in range(low, high, max(1, (high - low) // 1024)):
        row = turned[order[q]]
        for d in range(n_features):
            least[d] = min(least[d], row[d])
            most[d] = max(most[d], row[d])
    return np.argmax(most - least)


@kernel
def fill(turned, order, leaves, start, stop):  # type: ignore[no-untyped-def]
    """Fill in the leaves from `start` on, before `stop`."""
    n_features = turned.shape[1]
    for a in range(start, min(stop, leaves.longest.size)):
        leaves.low[a] = np.float32(3e38)
        leaves.high[a] = np.float32(-3e38)
        longest = 0.0
        for j in range(WIDTH):
            place = a * WIDTH + j
            square = 0.0
            for d in range(n_features):
                value = np.float32(_NOWHERE if d == 0 else 0)
                if place < order.size:
                    value = turned[order[place], d]
                    square += value * value
                    leaves.low[a, d] = min(leaves.low[a, d], value)
                    leaves.high[a, d] = max(leaves.high[a, d], value)
                leaves.rows[place, d] = value
                leaves.tiles[a, d, j] = value
            longest = max(longest, square)
        leaves.longest[a] = np.sqrt(longest)
        for d in range(n_features):
            leaves.lows[d, a], leaves.highs[d, a] = leaves.low[a, d], leaves.high[a, d]


#: Entries that a buffer has room for, per eps.
_ROOM = 1 << 17
#: Doubtful pairs that are remembered, per eps; with more, scikit-learn is asked outright.
MAX_DOUBTS = 1000


class Hits(NamedTuple):
    """Room for what a piece of the search finds, and to work in; one for each thread.

    A pair is recorded once, under the smallest eps that it is within.
    """

    places: NDArray[np.int64]  # (n_eps, room): place of a row << 32 | leaf
    masks: NDArray[np.int64]  # (n_eps, room): a bit for each row of that leaf that is within eps
    wholes: NDArray[np.int64]  # (n_eps, room): leaf << 32 | other leaf, all within eps
    sizes: NDArray[np.int64]  # (2, n_eps): how many there are of masks, and of wholes
    doubts: NDArray[np.int64]  # (n_eps, MAX_DOUBTS, 2): places of two rows in doubt, in no mask
    n_doubts: NDArray[np.int64]  # (n_eps,): how many pairs are, also beyond those remembered
    n_compared: NDArray[np.int64]  # (1,): pairs whose distance was computed
    # Room to work in.
    near: NDArray[np.float32]
    bound: NDArray[np.float32]
    out: NDArray[np.float32]
    box: NDArray[np.float32]
    tops: NDArray[np.float32]
    sures: NDArray[np.float32]


def room(n_eps: int, n_leaves: int, stride: int) -> Hits:
    """Return empty buffers."""
    entries = min(_ROOM, WIDTH * (n_leaves * (n_leaves + 1) // 2) + WIDTH)
    return Hits(
        places=np.empty((n_eps, entries), np.int64),
        masks=np.empty((n_eps, entries), np.int64),
        wholes=np.empty((n_eps, entries), np.int64),
        sizes=np.zeros((2, n_eps), np.int64),
        doubts=np.empty((n_eps, MAX_DOUBTS, 2), np.int64),
        n_doubts=np.zeros(n_eps, np.int64),
        n_compared=np.zeros(1, np.int64),
        near=np.empty(n_leaves, np.float32),
        bound=np.empty(WIDTH, np.float32),
        out=np.empty((2, 4, WIDTH // 2), np.float32),
        box=np.empty((2, stride), np.float32),
        tops=np.empty(n_eps, np.float32),
        sures=np.empty(n_eps, np.float32),
    )


class Found(NamedTuple):
    """What the buffers hold: see `Hits`."""

    places: list[NDArray[np.int64]]  # each of them, per eps
    masks: list[NDArray[np.int64]]  # each of them, per eps
    wholes: list[NDArray[np.int64]]  # each of them, per eps

    def size(self) -> int:
        """Return how many entries there are."""
        return sum(map(len, self.masks)) + sum(map(len, self.wholes))

    def copy(self) -> Found:
        """Return what stays when the buffers are used again."""
        return Found(*([array.copy() for array in arrays] for arrays in self))


def found(hits: Hits) -> Found:
    """Return a view of what the buffers hold."""
    n_masks, n_wholes = hits.sizes.tolist()
    return Found(
        [all_of[:n] for all_of, n in zip(hits.places, n_masks, strict=True)],
        [all_of[:n] for all_of, n in zip(hits.masks, n_masks, strict=True)],
        [all_of[:n] for all_of, n in zip(hits.wholes, n_wholes, strict=True)],
    )


@dataclass
class Store:
    """Everything that a search has found, as long as there is room for it."""

    budget: int  # bytes that it may take
    found: list[Found] = field(default_factory=list)  # copies of what the buffers held
    n_bytes: int = 0  # what they take
    overflown: bool = False  # whether there was no room; then it is empty

    def keep(self, new: Found) -> None:
        """Add a copy."""
        self.n_bytes += 16 * new.size()
        if self.n_bytes > self.budget:
            self.overflown = True
            self.found.clear()
        if not self.overflown:
            self.found.append(new.copy())
