"""What scikit-learn's search in a tree takes: how well it prunes, only trying it tells."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.runner.preflight.machine import REFERENCE_MULTIPLY_ADDS, multiply_adds
from segrun.runner.preflight.neighbours import COMPARED_ROWS, sample
from segrun.runner.preflight.task import Task
from segrun.seeds import generator

#: Rows whose neighbours are searched.
_TRIED_ROWS = 256
#: Searches that are tried of one kind of tree; of more, the others take the next larger one's.
_MOST_TRIED = 3


def tree_nanoseconds(task: Task) -> float | None:
    """Return what DBSCAN's searches take one core of the reference, from those of a few rows.

    None without the rows.
    """
    if task.X is None:
        return None
    speed = multiply_adds() / REFERENCE_MULTIPLY_ADDS
    rng = generator(task.seed, "preflight.tree")
    among = sample(rng, task.X, COMPARED_ROWS)
    tried = sample(rng, among, _TRIED_ROWS)
    wanted = [_search(point) for point in task.points]
    kinds = dict.fromkeys(kind for kind, _ in wanted)
    taken = {kind: _Tree(kind, wanted, among, tried) for kind in kinds}
    seconds = sum(taken[kind].seconds(radius) for kind, radius in wanted)
    # A search takes at the most in proportion to the rows.
    scale = task.n_samples / len(tried) * task.n_samples / len(among)
    return seconds * scale * speed * 1e9


#: What a tree is built by: algorithm and leaf_size.
_Kind = tuple[str, int]


def _search(point: Mapping[str, Any]) -> tuple[_Kind, float]:
    """Return what the search of a point depends on: its tree and its radius."""
    kind = str(point.get("algorithm") or "auto"), int(point.get("leaf_size") or 30)
    return kind, float(point.get("eps") or 0.5)


class _Tree:
    """What searches in one tree take.

    Parameters
    ----------
    kind : tuple of (str, int)
        Which tree.
    wanted : sequence of (kind, radius)
        All searches, of other trees too.
    among, tried : ndarray of shape (n_rows, n_features)
        Rows in the tree, and rows whose neighbours are searched.
    """

    def __init__(
        self,
        kind: _Kind,
        wanted: Sequence[tuple[_Kind, float]],
        among: NDArray[np.float64],
        tried: NDArray[np.float64],
    ) -> None:
        from sklearn.neighbors import NearestNeighbors

        radii = np.unique([radius for tree, radius in wanted if tree == kind])
        few = np.linspace(0, len(radii) - 1, min(len(radii), _MOST_TRIED)).astype(int)
        self._radii = radii[few]
        algorithm, leaf_size = kind
        tree = NearestNeighbors(algorithm=algorithm, leaf_size=leaf_size).fit(among)
        self._seconds = []
        for radius in self._radii:
            began = time.process_time()
            tree.radius_neighbors(tried, radius, return_distance=False)
            self._seconds.append(time.process_time() - began)

    def seconds(self, radius: float) -> float:
        """Return what the search within a radius takes."""
        return self._seconds[int(np.searchsorted(self._radii, radius))]
