"""What DBSCAN takes: all distances, and the neighbours that are found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from segrun.formats import in_bytes, in_seconds
from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.machine import Machine
from segrun.runner.preflight.neighbours import Neighbours, count_neighbours
from segrun.runner.preflight.task import Task
from segrun.runner.preflight.tree import tree_nanoseconds

#: Bytes that the kernels keep neighbours in at the most; see docs/native.md.
_NATIVE_BYTES = 1 << 30


class Dbscan:
    """A grid of DBSCAN.

    Parameters
    ----------
    task : Task
        The work.
    """

    def __init__(self, task: Task) -> None:
        asked = {point.get("algorithm") or "auto" for point in task.points}
        falls_back = task.backend == "onedal" and not asked <= {"auto", "brute"}
        self.task = replace(task, backend="sklearn") if falls_back else task
        self.plain = all(_is_plain(point) for point in task.points)
        self.eps = [_eps(point) for point in task.points]

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """Neighbours of a sample, None without the rows or where distances are other ones."""
        if self.task.X is None or not self.plain or not self.eps:
            return None
        return count_neighbours(self.task.X, self.eps, self.task.seed)

    def pairs(self, eps: float) -> float | None:
        """Return how many pairs of rows are neighbours, each row's own and both ways."""
        return None if self.neighbours is None else self.task.n_samples * self.neighbours.mean(eps)


def dbscan(grid: Dbscan, machine: Machine) -> Cost:
    """Return what the fits of a grid of DBSCAN take."""
    task = grid.task
    if not task.points:
        return Cost("fit", 0.0, 0, "nothing is left to fit")
    if not grid.plain:
        return Cost("fit", None, None, "another metric: not known")
    nanoseconds, parallel = _nanoseconds(grid)
    seconds = None if nanoseconds is None else machine.seconds(nanoseconds, parallel=parallel)
    cost = Cost("fit", seconds and seconds * task.repeats, _bytes(grid), _basis(grid))
    return cost if task.backend == "native" else replace(cost, cheaper=_cheaper(grid, machine))


def _nanoseconds(grid: Dbscan) -> tuple[float | None, bool]:
    """Return the CPU time of all fits, and whether it is spread over the cores."""
    task = grid.task
    if task.backend == "native":
        fits = [max(grid.eps)] if task.share else grid.eps
        return sum(_native(grid, eps) for eps in fits), True
    if task.backend == "sklearn" and not _brute(task):
        return tree_nanoseconds(task), False
    return sum(_all_distances(grid, eps) for eps in grid.eps), True


def _all_distances(grid: Dbscan, eps: float) -> float:
    n_samples, n_features = grid.task.n_samples, grid.task.n_features
    # With 21 features a distance took oneDAL 1.5 on a machine alone and 2 on a busy one, scikit-
    # learn up to 2.4; with 3 features 0.75 to 0.95. A neighbour that is found, 20 and 45.
    each, found = (1.0, 20) if grid.task.backend == "onedal" else (1.3, 45)
    pairs = grid.pairs(eps) or 0.0
    return n_samples**2 * each * (0.7 + 0.05 * n_features) + found * pairs


def _native(grid: Dbscan, eps: float) -> float:
    n_samples, n_features = grid.task.n_samples, grid.task.n_features
    # 5,000 a row, and 0.7 (21 features) for each distance that is not pruned: of all, 1.4 times
    # the root of the neighbours' share, on eight matrices with 0.1 % to 8 % neighbours. Evenly
    # spread rows prune worse: up to all distances.
    share = (grid.pairs(eps) or float(n_samples)) / n_samples**2
    distances: float = n_samples**2 * min(1.0, 1.4 * math.sqrt(share))
    return n_samples * (500 + 215 * n_features) + distances * (0.25 + 0.02 * n_features)


def _bytes(grid: Dbscan) -> int | None:
    """Return the memory that the largest fit takes."""
    task, pairs = grid.task, grid.pairs(max(grid.eps))
    if pairs is None:
        return None
    rows = task.n_samples * (8 * task.n_features + 600)
    if task.backend == "native":
        # 9 bytes a pair, each kept once.
        return int(rows + min(_NATIVE_BYTES, 4.5 * pairs))
    # A neighbour: oneDAL 8 (thousands a row) to 15 (tens); scikit-learn 28 by all distances, 17 by
    # its tree.
    each = 12 if task.backend == "onedal" else 28 if _brute(task) else 17
    return int(rows + each * pairs)


def _basis(grid: Dbscan) -> str:
    task = grid.task
    head = f"{len(grid.eps)} fits on {task.backend}, {task.n_samples:,} rows"
    if grid.neighbours is None:
        return f"{head}, neighbours not counted: at least"
    mean, eps = grid.neighbours.mean(max(grid.eps)), max(grid.eps)
    return f"{head}, {mean:,.0f} neighbours a row within eps={eps:g} (a sample)"


def _cheaper(grid: Dbscan, machine: Machine) -> tuple[str, ...]:
    native = Dbscan(replace(grid.task, backend="native"))
    native.__dict__["neighbours"] = grid.neighbours
    cost = dbscan(native, machine)
    if cost.seconds is None or cost.extra_bytes is None:
        return ("backend=native",)
    return (f"backend=native (about {in_seconds(cost.seconds)}, {in_bytes(cost.extra_bytes)})",)


def core_rows(grid: Dbscan) -> float | None:
    """Return how many rows are core rows, over all points together."""
    found = grid.neighbours
    if found is None:
        return None
    shares = [
        found.core_share(_eps(point), float(point.get("min_samples") or 5))
        for point in grid.task.points
    ]
    return grid.task.n_samples * sum(shares)


def _eps(point: Mapping[str, Any]) -> float:
    value = point.get("eps")
    return float(value) if isinstance(value, int | float) else 0.5


def _is_plain(point: Mapping[str, Any]) -> bool:
    metric = point.get("metric") or "euclidean"
    euclidean = metric == "euclidean" or (metric == "minkowski" and point.get("p") in (None, 2))
    return euclidean and not point.get("metric_params")


def _brute(task: Task) -> bool:
    """Tell whether scikit-learn computes all distances: beyond 15 features, or as asked."""
    asked = {point.get("algorithm") or "auto" for point in task.points}
    return asked == {"brute"} or (asked <= {"auto", "brute"} and task.n_features > 15)
