"""What k-means takes: rows x clusters x iterations, and the draw of the starting centres."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.machine import Machine
from segrun.runner.preflight.task import Task

#: What one fit takes at the least: the calls around it.
_FIT_NANOSECONDS = 3e6
#: Iterations of 27 points are 9.4 sqrt(n_clusters) on average at 42,560 rows and tol=1e-4 (Online
#: Retail, 21 features: 567, 832 and 962 altogether at 4,256, 42,560 and 425,600 rows). A single
#: point can take a third or three times as many.
_ITERATIONS, _ROWS, _TOL = 9.4, 42_560, 1e-4


def kmeans(task: Task, machine: Machine) -> Cost:
    """Return what the fits of a grid of k-means take."""
    fits = [_Fit(point, task) for point in task.points]
    each = {"onedal": _onedal, "native": _native, "sklearn": _sklearn}[task.backend]
    if task.backend == "native" and task.share:
        # One trajectory per n_clusters ends at every tolerance.
        longest = {fit.n_clusters: fit for fit in sorted(fits, key=lambda fit: fit.n_iter)}
        work = list(longest.values())
    else:
        work = fits
    nanoseconds = sum(each(fit) for fit in work) + _FIT_NANOSECONDS * len(fits)
    # A copy of the rows, with room for their norms and labels.
    extra = task.n_samples * (8 * task.n_features + 32)
    return Cost(
        "fit",
        machine.seconds(nanoseconds) * task.repeats,
        extra if task.points else 0,
        f"about {sum(fit.n_iter for fit in fits):,.0f} iterations of {task.n_samples:,} rows, "
        f"{len(fits)} fits on {task.backend}",
    )


class _Fit:
    """One fit: its numbers of clusters, rows, features and iterations.

    Parameters
    ----------
    point : mapping
        Parameters of KMeans.
    task : Task
        What it is part of.
    """

    def __init__(self, point: Mapping[str, Any], task: Task) -> None:
        self.n_clusters = int(_number(point, "n_clusters", 8))
        self.n_samples, self.n_features = task.n_samples, task.n_features
        self.n_starts = _starts(point)
        most = _number(point, "max_iter", 300)
        self.n_iter = self.n_starts * min(most, _iterations(self, _number(point, "tol", _TOL)))

    @property
    def draw_nanoseconds(self) -> float:
        """What k-means++ takes: for every centre, 2 + log(n_clusters) rows are tried."""
        # One distance takes 1 + 0.2 n_features (the kernels; the others are hardly slower).
        tried = self.n_clusters * (2 + math.log(self.n_clusters))
        return self.n_starts * self.n_samples * tried * (1 + 0.2 * self.n_features)


def _number(point: Mapping[str, Any], name: str, default: float) -> float:
    value = point.get(name)
    return float(value) if isinstance(value, int | float) else default


def _starts(point: Mapping[str, Any]) -> int:
    n_init = point.get("n_init", "auto")
    if isinstance(n_init, int):
        return max(1, n_init)
    # As scikit-learn has it.
    return 10 if point.get("init") == "random" else 1


def _iterations(fit: _Fit, tol: float) -> float:
    """Guess how many iterations one start takes."""
    by_rows = math.pow(fit.n_samples / _ROWS, 0.12)
    by_tol = 1 + 0.12 * math.log10(_TOL / min(1.0, max(tol, 1e-10)))
    return max(2.0, _ITERATIONS * math.sqrt(fit.n_clusters) * by_rows * by_tol)


def _onedal(fit: _Fit) -> float:
    # Per row and iteration, the draw included: 31 at n_clusters=2, 75 at 10, 180 at 30 with 21
    # features; 22 at 3 and 27 at 10 with 3.
    row = 20 + fit.n_clusters * (1 + 0.2 * fit.n_features)
    return fit.n_samples * fit.n_iter * row


def _sklearn(fit: _Fit) -> float:
    # 1.2 (425,600 rows) to 2 times (42,560) what oneDAL takes, on a machine alone; where others
    # compute, its threads wait for each other and it takes many times that.
    return 1.5 * _onedal(fit)


def _native(fit: _Fit) -> float:
    # Per row and iteration 22 at n_clusters=10 and 45 at 30 with 21 features, 20 at 30 with 3;
    # half of it is the draw.
    row = 8 + 0.03 * fit.n_clusters * fit.n_features
    return fit.draw_nanoseconds + fit.n_samples * fit.n_iter * row
