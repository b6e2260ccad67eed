"""What the fits of a grid take, whichever algorithm it is."""

from __future__ import annotations

from dataclasses import replace

from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.dbscan import Dbscan, dbscan
from segrun.runner.preflight.kmeans import kmeans
from segrun.runner.preflight.machine import Machine
from segrun.runner.preflight.task import Task

#: Algorithms that compare all rows with each other: (nanoseconds on one core, bytes) for each of
#: n_samples squared, at 2,000 and 4,000 rows of 21 features.
_SQUARE = {
    "AgglomerativeClustering": (38.0, 8.5),
    "SpectralClustering": (240.0, 33.0),
    "AffinityPropagation": (None, 33.0),
    "HDBSCAN": (26.0, 0.0),
}
#: Loading the kernels' machine code; compiling it, once on a machine, takes some 20 s more.
_LOAD_NANOSECONDS = 0.4e9


def fit_cost(task: Task, machine: Machine, grid: Dbscan | None = None) -> Cost:
    """Return what the fits take; nothing is known of most algorithms before they have run."""
    if task.estimator == "KMeans":
        return _ready(kmeans(task, machine), task, machine)
    if task.estimator == "DBSCAN":
        return _ready(dbscan(grid or Dbscan(task), machine), task, machine)
    if task.estimator in _SQUARE:
        return _square(task, machine)
    return Cost("fit", None, None, "not known of this algorithm")


def _ready(cost: Cost, task: Task, machine: Machine) -> Cost:
    """Add what it takes until the kernels are loaded."""
    if task.backend != "native" or cost.seconds is None or not task.points:
        return cost
    return replace(cost, seconds=cost.seconds + machine.seconds(_LOAD_NANOSECONDS, parallel=False))


def _square(task: Task, machine: Machine) -> Cost:
    nanoseconds, n_bytes = _SQUARE[task.estimator]
    pairs, n_fits = task.n_samples**2, len(task.points) * task.repeats
    seconds = None
    if nanoseconds is not None:
        seconds = machine.seconds(nanoseconds * pairs * n_fits, parallel=False)
    return Cost(
        "fit",
        seconds,
        int(n_bytes * pairs + 100 * task.n_samples) if n_fits else 0,
        f"{len(task.points)} fits that compare all pairs of {task.n_samples:,} rows",
    )
