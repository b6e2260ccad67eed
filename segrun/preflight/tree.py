"""What scikit-learn's search in a tree takes: how well it prunes, only trying it tells."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.preflight.machine import REFERENCE_MULTIPLY_ADDS, multiply_adds
from segrun.preflight.neighbours import COMPARED_ROWS, sample
from segrun.preflight.task import Task
from segrun.seeds import generator

#: Rows whose neighbours are searched.
_TRIED_ROWS = 256


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
    taken = {_search(point): 0.0 for point in task.points}
    for search in taken:
        taken[search] = _seconds(search, among, tried)
    seconds = sum(taken[_search(point)] for point in task.points)
    # A search takes at the most in proportion to the rows.
    scale = task.n_samples / len(tried) * task.n_samples / len(among)
    return seconds * scale * speed * 1e9


def _search(point: Mapping[str, Any]) -> tuple[float, str, int]:
    """Return what the search of a point depends on."""
    return (
        float(point.get("eps") or 0.5),
        str(point.get("algorithm") or "auto"),
        int(point.get("leaf_size") or 30),
    )


def _seconds(
    search: tuple[float, str, int], among: NDArray[np.float64], tried: NDArray[np.float64]
) -> float:
    from sklearn.neighbors import NearestNeighbors

    radius, algorithm, leaf_size = search
    tree = NearestNeighbors(radius=radius, algorithm=algorithm, leaf_size=leaf_size).fit(among)
    began = time.process_time()
    tree.radius_neighbors(tried, return_distance=False)
    return time.process_time() - began
