"""What a search finds: per row and leaf, the rows within eps as 64 bits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.native.dbscan.leaves import WIDTH

#: Entries that a buffer has room for, per eps.
_ROOM = 1 << 17
#: Doubtful pairs that are remembered, per eps; with more, scikit-learn is asked outright.
MAX_DOUBTS = 1000


class Hits(NamedTuple):
    """Room for what a piece of the search finds, and to work in; one for each thread.

    A pair is recorded once, under the smallest eps that it is within.

    Attributes
    ----------
    places, masks : ndarray of int64, shape (n_eps, room)
        Place of a row << 32 | leaf; and a bit for each row of that leaf that is within eps.
    wholes : ndarray of int64, shape (room,)
        Leaf << 32 | other leaf, all of whose rows are within the smallest eps of each other.
    sizes : ndarray of int64, shape (n_eps + 1,)
        How many entries there are per eps, and how many pairs of leaves.
    doubts : ndarray of int64, shape (n_eps, MAX_DOUBTS, 2)
        Places of two rows in doubt. They are in no mask.
    n_doubts : ndarray of int64, shape (n_eps,)
        How many pairs are, also beyond those remembered.
    n_compared : ndarray of int64, shape (1,)
        Pairs whose distance was computed.
    near, bound, rows, tile, columns, out, low, high, tops, sures : ndarray
        Room to work in.
    """

    places: NDArray[np.int64]
    masks: NDArray[np.int64]
    wholes: NDArray[np.int64]
    sizes: NDArray[np.int64]
    doubts: NDArray[np.int64]
    n_doubts: NDArray[np.int64]
    n_compared: NDArray[np.int64]
    near: NDArray[np.float32]
    bound: NDArray[np.float32]
    rows: NDArray[np.float32]
    tile: NDArray[np.float32]
    columns: NDArray[np.int64]
    out: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    tops: NDArray[np.float32]
    sures: NDArray[np.float32]


def room(n_eps: int, n_leaves: int, n_features: int) -> Hits:
    """Return empty buffers."""
    entries = min(_ROOM, WIDTH * (n_leaves * (n_leaves + 1) // 2) + WIDTH)
    single = np.float32
    return Hits(
        *(np.empty((n_eps, entries), np.int64) for _ in range(2)),
        np.empty(entries, np.int64),
        np.zeros(n_eps + 1, np.int64),
        np.empty((n_eps, MAX_DOUBTS, 2), np.int64),
        np.zeros(n_eps, np.int64),
        np.zeros(1, np.int64),
        np.empty(n_leaves, single),
        np.empty(WIDTH, single),
        np.empty((WIDTH, n_features), single),
        np.empty((n_features, WIDTH), single),
        np.empty(WIDTH, np.int64),
        np.empty((2, 4, WIDTH // 2), single),
        np.empty(n_features, single),
        np.empty(n_features, single),
        np.empty(n_eps, single),
        np.empty(n_eps, single),
    )


class Found(NamedTuple):
    """What the buffers hold: see `Hits`.

    Attributes
    ----------
    pairs : list of (ndarray of int64, ndarray of int64)
        Places and masks, per eps.
    wholes : ndarray of int64
        Pairs of leaves.
    """

    pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    wholes: NDArray[np.int64]

    def arrays(self) -> list[NDArray[np.int64]]:
        """Return all of them."""
        return [self.wholes, *(array for pair in self.pairs for array in pair)]

    def copy(self) -> Found:
        """Return what stays when the buffers are used again."""
        return Found([(p.copy(), m.copy()) for p, m in self.pairs], self.wholes.copy())


def found(hits: Hits) -> Found:
    """Return a view of what the buffers hold."""
    *sizes, n_wholes = hits.sizes.tolist()
    pairs = [(hits.places[e, :n], hits.masks[e, :n]) for e, n in enumerate(sizes)]
    return Found(pairs, hits.wholes[:n_wholes])


@dataclass
class Store:
    """Everything that a search has found, as long as there is room for it.

    Attributes
    ----------
    budget : int
        Bytes that it may take.
    found : list of Found
        Copies of what the buffers held.
    n_bytes : int
        What they take.
    overflown : bool
        Whether there was no room; then it is empty.
    """

    budget: int
    found: list[Found] = field(default_factory=list)
    n_bytes: int = 0
    overflown: bool = False

    def keep(self, new: Found) -> None:
        """Add a copy."""
        self.n_bytes += sum(array.nbytes for array in new.arrays())
        if self.n_bytes > self.budget:
            self.overflown = True
            self.found.clear()
        if not self.overflown:
            self.found.append(new.copy())
