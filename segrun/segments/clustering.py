"""One clustering of a finished run: its rows, their labels and the matrix that was clustered."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.grid import Point, points
from segrun.config import Experiment, from_plain
from segrun.errors import StoreError
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import filled
from segrun.segments.point import asked_point


@dataclass(frozen=True)
class Clustering:
    """What is known of one grid point of a run.

    Attributes
    ----------
    experiment : Experiment
        As it ran.
    point : Point
        The grid point.
    customers : Customers
        The rows that were clustered.
    labels : ndarray of int64, shape (n_samples,)
        Their labels, noise -1.
    steps : sequence of (name, transformer)
        Fitted, in front of the algorithm.
    Z : ndarray of float64, shape (n_samples, n_components)
        The matrix that was clustered.
    model : estimator or None
        The fitted clusterer, None where the run did not keep it.
    """

    experiment: Experiment
    point: Point
    customers: Customers
    labels: NDArray[np.int64]
    steps: Sequence[tuple[str, Any]]
    Z: NDArray[np.float64]
    model: Any

    def transform(self, customers: Customers) -> NDArray[np.float64]:
        """Return other customers as the algorithm would see them."""
        return transformed(customers, self.steps)


def read_clustering(run: FinishedRun, asked: str | None) -> Clustering:
    """Return one point of a run: the one asked for, otherwise the selected one.

    Raises
    ------
    ConfigError
        If the run has no such point.
    StoreError
        If none is asked for and none was selected, or the point did not come to labels.
    """
    experiment = from_plain(run.experiment)
    point = _point(run, experiment, asked)
    customers, labels = run.customers, run.labels(point.slug)
    if run.has_model(point.slug):
        *steps, (_, model) = run.model(point.slug).steps
        Z = transformed(customers, steps)
    else:
        from segrun.features.transform import fit_transform

        found = fit_transform(customers, experiment.transform, experiment.seed)
        steps, model, Z = list(found.steps), None, found.Z
    return Clustering(experiment, point, customers, labels, steps, Z, model)


def _point(run: FinishedRun, experiment: Experiment, asked: str | None) -> Point:
    slug = run.selected if asked is None else asked_point(run, asked)
    by_slug = {point.slug: point for point in points(experiment.algo)}
    if slug is None:
        broken = [f"{row['point']}: {row['limit']}" for row in run.scores if row.get("limit")]
        why = f" ({'; '.join(broken[:3])}{', ...' if len(broken) > 3 else ''})" if broken else ""
        raise StoreError(
            f"{run.path} has selected no point: none is within the limits of evaluation and has "
            f"the score that the choice goes by{why}. Name one: segrun describe "
            f"{shlex.quote(str(run.path))} \"segments.point='{next(iter(run.points), 'POINT')}'\". "
            f"Points: {', '.join(run.points)}"
        )
    return by_slug[slug]


def transformed(customers: Customers, steps: Sequence[tuple[str, Any]]) -> NDArray[np.float64]:
    """Return customers after fitted steps: float64, shape (n_samples, n_components)."""
    X = customers.matrix()
    for _, step in steps:
        X = step.transform(X)
    return filled(X)
