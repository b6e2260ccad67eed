"""What a search finds: per row and leaf, the rows within eps as 64 bits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.dbscan.leaves import WIDTH

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
