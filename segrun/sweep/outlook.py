"""What a job will take of which no run has finished, and whose data nobody has read."""

from __future__ import annotations

from segrun.algorithms.grid import points
from segrun.config import (
    Experiment,
    SyntheticRatingsConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
    from_plain,
)
from segrun.errors import ConfigError
from segrun.features import feature_names
from segrun.runner.preflight.cost import Task, assess
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
    history : History
        The finished runs there: they know how many customers a file has.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def estimate(self, job: Job) -> Estimate | None:
        """Return the memory that a job's fits and scores will take; None where nothing tells."""
        try:
            experiment = from_plain(job.experiment)
        except ConfigError:
            return None
        n_samples = self._n_samples(job, experiment)
        n_features = _n_features(experiment)
        if n_samples is None or n_features is None:
            return None
        grid = [point.params for point in points(experiment.algo)]
        costs = assess(Task(experiment, grid, n_samples, n_features))
        extra = [cost.extra_bytes for cost in costs if cost.extra_bytes is not None]
        known = len(extra) == len(costs)
        peak = _peak_bytes(n_samples, n_features, max(extra, default=0)) if known else None
        basis = f"no finished run; by size: {costs[0].basis}"
        return Estimate(None, peak, basis)

    def _n_samples(self, job: Job, experiment: Experiment) -> int | None:
        augmentation = experiment.augmentation
        if augmentation.rows is not None:
            return augmentation.rows
        n_customers = self._n_customers(job, experiment)
        return None if n_customers is None else n_customers * (augmentation.factor or 1)

    def _n_customers(self, job: Job, experiment: Experiment) -> int | None:
        if isinstance(experiment.dataset, SyntheticRetailConfig):
            return experiment.dataset.n_customers
        if isinstance(experiment.dataset, SyntheticSalesConfig | SyntheticRatingsConfig):
            return experiment.dataset.n_users
        if isinstance(experiment.dataset, SyntheticWeblogsConfig):
            return experiment.dataset.n_visitors
        return self._history.n_customers(job)


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
