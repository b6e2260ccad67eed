"""What a job will take of which no run has finished, and whose data nobody has read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from segrun.algorithms.grid import points
from segrun.config import (
    Experiment,
    from_plain,
)
from segrun.data.datasets import dataset_of
from segrun.errors import ConfigError
from segrun.features import feature_names
from segrun.runner.preflight.assess import assess
from segrun.runner.preflight.limits import total_seconds
from segrun.runner.preflight.machine import Machine, measure
from segrun.runner.preflight.task import task
from segrun.sweep.history import Estimate, History
from segrun.sweep.job import Job

#: What a process holds once data are prepared, besides them: 480 to 650 MB, most of it libraries.
_PREPARED_BYTES = 570_000_000
#: Of a row besides its features: id, number of the copy, label.
_ROW_BYTES = 40


class Outlook:
    """Estimates by size: of the embedded data, of `augmentation.rows`, or as finished runs say.

    Parameters
    ----------
    root : Path
        Where results go.
    history : History
        The finished runs there: they know how many customers a file has.
    """

    def __init__(self, root: Path, history: History) -> None:
        self._root, self._history = root, history

    def estimate(self, job: Job) -> Estimate | None:
        """Return what a job's fits, scores and files will take; None where nothing tells."""
        try:
            experiment = from_plain(job.experiment)
        except ConfigError:
            return None
        n_samples = self._n_samples(job, experiment)
        n_features = _n_features(experiment)
        if n_samples is None or n_features is None:
            return None
        grid = [point.params for point in points(experiment.algo)]
        costs = assess(task(experiment, grid, (n_samples, n_features)), self._machine)
        if any(cost.seconds is None for cost in costs):
            return None
        extra = [cost.extra_bytes for cost in costs if cost.extra_bytes is not None]
        known = len(extra) == len(costs)
        peak = _peak_bytes(n_samples, n_features, max(extra, default=0)) if known else None
        basis = f"no finished run; by size: {costs[0].basis}"
        return Estimate(total_seconds(costs), peak, basis)

    @cached_property
    def _machine(self) -> Machine:
        return measure(self._root)

    def _n_samples(self, job: Job, experiment: Experiment) -> int | None:
        augmentation = experiment.augmentation
        if augmentation.rows is not None:
            return augmentation.rows
        n_customers = self._n_customers(job, experiment)
        return None if n_customers is None else n_customers * (augmentation.factor or 1)

    def _n_customers(self, job: Job, experiment: Experiment) -> int | None:
        size = dataset_of(experiment.dataset).size
        return getattr(experiment.dataset, size) if size else self._history.n_customers(job)


def _peak_bytes(n_samples: int, n_features: int, extra_bytes: int) -> int:
    """Return the memory of a run: while its data are prepared, or the matrix and what a stage adds.

    Parameters
    ----------
    n_samples, n_features : int
        Shape of the matrix.
    extra_bytes : int
        What the stage that takes most adds.
    """
    matrix = 8 * n_samples * n_features
    # Prepared, the columns, the matrix of them and the scaled one are there together.
    return _PREPARED_BYTES + _ROW_BYTES * n_samples + max(3 * matrix, matrix + extra_bytes)


def _n_features(experiment: Experiment) -> int | None:
    pca, svd = experiment.transform.pca, experiment.transform.svd
    if svd or (pca and pca >= 1):
        return int(svd or pca or 0)
    # A share of variance: at most all of them.
    names = feature_names(experiment.features, experiment.dataset)
    return None if names is None else len(names)
