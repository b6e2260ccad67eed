"""Which label a stored model gives to a row, and how far the row is from what it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.labels import placed
from segrun.algorithms.registry import brought, find
from segrun.errors import StoreError
from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import NOISE
from segrun.using.placing.distance import to_centres, to_cores
from segrun.using.placing.training import Training, TrainingRows

Road = Callable[[NDArray[np.float64]], NDArray[Any]]


@dataclass(frozen=True)
class Assigner:
    """A stored model with the rows that it was fitted on.

    Attributes
    ----------
    steps : Pipeline or None
        The fitted transform; None where there was none.
    clusterer : object
        The fitted clusterer.
    road : callable or None
        Gives labels of transformed rows; None where the algorithm has none.
    training : Training
        The rows of the fit.
    whose : str
        The algorithm and who brought it, for messages.
    """

    steps: Any
    clusterer: Any
    road: Road | None
    training: Training
    whose: str = "the model"

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return rows as the algorithm saw those of the fit."""
        return transformed(self.steps, X)

    def predict(self, Z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the labels that the model gives to transformed rows, noise -1.

        Raises
        ------
        DataError
            If they are none, or of clusters that do not exist.
        """
        assert self.road is not None
        return placed(self.road, self.clusterer, Z, self.training.names, self.whose)

    def nearest(self, Z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the label of the cluster whose mean is nearest, as `keep` of segments does."""
        from sklearn.metrics import pairwise_distances_argmin

        names = self.training.names
        if not len(names):
            return np.full(len(Z), NOISE, dtype=np.int64)
        return np.asarray(names[pairwise_distances_argmin(Z, self.training.middles)])

    def distances(self, Z: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the distance of rows to their own cluster; of noise to the nearest one.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_components)
            Transformed rows.
        labels : ndarray of shape (n_samples,)
            Their labels.

        Returns
        -------
        ndarray of shape (n_samples,)
            In the transformed space: by the model's metric to the nearest core row, where it has
            core rows; else Euclidean to the centre.
        """
        if self.has_cores:
            return to_cores(self.clusterer, Z, labels)
        return to_centres(*self._centres, Z, labels)

    @property
    def has_cores(self) -> bool:
        """Whether the model knows core rows, as DBSCAN does."""
        return all(hasattr(self.clusterer, a) for a in ("core_sample_indices_", "components_"))

    @cached_property
    def _centres(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Labels of the clusters, and their centres."""
        names = self.training.names
        centres = getattr(self.clusterer, "cluster_centers_", None)
        if centres is None or not len(names) or len(centres) <= names[-1]:
            return names, self.training.middles
        return names, np.asarray(centres)[names]


def transformed(steps: Any, X: Any) -> NDArray[np.float64]:
    """Return rows behind the fitted transform, which is None where there is none."""
    Z = X if steps is None else steps.transform(X)
    Z = Z if isinstance(Z, np.ndarray) else Z.toarray()
    return np.ascontiguousarray(Z, dtype=np.float64)


def assigner(
    run: FinishedRun, point: str, *, nearest: bool, training: Training | None = None
) -> Assigner:
    """Return the model of a point, ready for new rows.

    Parameters
    ----------
    run : FinishedRun
        The run.
    point : str
        Slug of the grid point.
    nearest : bool
        Whether, where the algorithm cannot place new rows, the nearest centre may.
    training : Training, optional
        The rows of the fit; None: they are read.

    Raises
    ------
    StoreError
        If the model was not kept, or cannot place new rows.
    """
    model = run.model(point)
    clusterer = model.steps[-1][1]
    steps = model[:-1] if len(model.steps) > 1 else None
    if training is None:
        customers, labels = run.customers, run.labels(point)
        training = TrainingRows(
            customers.matrix(), labels, customers.ids, lambda X: transformed(steps, X)
        )
    algo = run.experiment["algo"]
    whose = brought(algo["name"], algo.get("estimator"))
    found = Assigner(steps, clusterer, _road(run, clusterer), training, whose)
    if found.road is not None:
        return found
    if not nearest:
        raise StoreError(
            f"{type(clusterer).__name__} has no way to place new rows, only those that it was "
            f"fitted on. --nearest gives each new customer the segment whose centre is nearest, "
            f"which the algorithm itself may not; or choose another point or algorithm"
        )
    return replace(found, road=found.nearest)


def _road(run: FinishedRun, clusterer: Any) -> Road | None:
    """Return what the algorithm itself says of new rows."""
    algo = run.experiment["algo"]
    assign = None
    if algo.get("estimator") is None:
        assign = find(algo["name"]).assign
    elif all(hasattr(clusterer, a) for a in ("core_sample_indices_", "components_", "eps")):
        from segrun.algorithms.dbscan import assign
    if assign is not None:
        return lambda Z: assign(clusterer, Z)
    predict: Road | None = getattr(clusterer, "predict", None)
    return predict
