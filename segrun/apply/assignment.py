"""Which label a stored model gives to a row, and how far the row is from what it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.registry import find
from segrun.apply.distance import to_centres, to_cores
from segrun.errors import StoreError
from segrun.finished import FinishedRun
from segrun.segments.outliers import middles
from segrun.segments.segment import NOISE

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
    X : array of shape (n_training, n_features)
        The rows of the fit, in the units of the input; ratings are sparse.
    labels : ndarray of shape (n_training,)
        Their labels.
    ids : ndarray of shape (n_training,)
        Whose they are.
    """

    steps: Any
    clusterer: Any
    road: Road | None
    X: Any
    labels: NDArray[np.int64]
    ids: NDArray[np.object_]

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return rows as the algorithm saw those of the fit."""
        Z = X if self.steps is None else self.steps.transform(X)
        Z = Z if isinstance(Z, np.ndarray) else Z.toarray()
        return np.ascontiguousarray(Z, dtype=np.float64)

    def predict(self, Z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the labels that the model gives to transformed rows, noise -1."""
        assert self.road is not None
        return np.asarray(self.road(Z)).astype(np.int64)

    def known(self, X: Any, ids: NDArray[np.object_]) -> NDArray[np.int64]:
        """Return the row of the fit that equals each row bit for bit, -1 where none does.

        Of several, the customer's own counts, then the first.
        """
        first, own = self._rows
        found = [
            own.get((who, key), first.get(key, -1)) for who, key in zip(ids, _keys(X), strict=True)
        ]
        return np.array(found, dtype=np.int64)

    @cached_property
    def _rows(self) -> tuple[dict[bytes, int], dict[tuple[str, bytes], int]]:
        """Rows of the fit by content, and by whose they are and content."""
        keys = _keys(self.X)
        first = {keys[i]: i for i in reversed(range(len(keys)))}
        return first, {(self.ids[i], key): i for i, key in enumerate(keys)}

    def nearest(self, Z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the label of the cluster whose mean is nearest, as `keep` of segments does."""
        from sklearn.metrics import pairwise_distances_argmin

        if not (self.labels != NOISE).any():
            return np.full(len(Z), NOISE, dtype=np.int64)
        names, means = middles(self.transform(self.X), self.labels)
        return np.asarray(names[pairwise_distances_argmin(Z, means)])

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
        names = np.unique(self.labels[self.labels != NOISE])
        centres = getattr(self.clusterer, "cluster_centers_", None)
        if centres is None or not len(names) or len(centres) <= names[-1]:
            return middles(self.transform(self.X), self.labels)
        return names, np.asarray(centres)[names]


def _keys(X: Any) -> list[bytes]:
    if isinstance(X, np.ndarray):
        # Plus zero: -0.0 equals 0.0, though not bit for bit.
        return [row.tobytes() for row in np.ascontiguousarray(X, dtype=np.float64) + 0.0]
    # Sparse: where the values stand, and what they are.
    return [
        X.indices[a:b].tobytes() + b"|" + X.data[a:b].tobytes()
        for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)
    ]


def assigner(run: FinishedRun, point: str, *, nearest: bool) -> Assigner:
    """Return the model of a point, ready for new rows.

    Parameters
    ----------
    run : FinishedRun
        The run.
    point : str
        Slug of the grid point.
    nearest : bool
        Whether, where the algorithm cannot place new rows, the nearest centre may.

    Raises
    ------
    StoreError
        If the model was not kept, or cannot place new rows.
    """
    model = run.model(point)
    clusterer = model.steps[-1][1]
    steps = model[:-1] if len(model.steps) > 1 else None
    customers = run.customers
    found = Assigner(
        steps, clusterer, _road(run, clusterer), customers.matrix(), run.labels(point),
        customers.ids,
    )  # fmt: skip
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
