"""Which label a stored model gives to a row, and how far the row is from what it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.registry import find
from segrun.errors import StoreError
from segrun.finished import FinishedRun
from segrun.segments.outliers import middles
from segrun.segments.segment import NOISE

#: Rows whose distances to all centres are held at once.
_CHUNK = 65_536

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
        found = np.full(len(labels), np.nan)
        for label in np.unique(labels):
            rows = labels == label
            if label in self._places:
                found[rows] = self._to(int(label), Z[rows])
            elif self._places:
                near = [self._to(name, Z[rows]) for name in self._places]
                found[rows] = np.min(near, axis=0)
        return found

    @cached_property
    def has_cores(self) -> bool:
        """Whether the model knows core rows, as DBSCAN does."""
        return all(hasattr(self.clusterer, a) for a in ("core_sample_indices_", "components_"))

    @cached_property
    def _places(self) -> dict[int, Any]:
        """Of each cluster its core rows as a search tree, or its centre."""
        names = [int(label) for label in np.unique(self.labels) if label != NOISE]
        if self.has_cores:
            return self._cores(names)
        centres = getattr(self.clusterer, "cluster_centers_", None)
        if centres is None or not names or len(centres) <= names[-1]:
            found, means = middles(self.transform(self.X), self.labels)
            return dict(zip(found.tolist(), means, strict=True))
        return {name: np.asarray(centres[name]) for name in names}

    def _cores(self, names: list[int]) -> dict[int, Any]:
        from sklearn.neighbors import NearestNeighbors

        model = self.clusterer
        metric = {
            name: getattr(model, name)
            for name in ("metric", "metric_params", "p")
            if hasattr(model, name)
        }
        labels = model.labels_[model.core_sample_indices_]
        return {
            name: NearestNeighbors(n_neighbors=1, **metric).fit(model.components_[labels == name])
            for name in names
            if (labels == name).any()
        }

    def _to(self, name: int, Z: NDArray[np.float64]) -> NDArray[np.float64]:
        place = self._places[name]
        if self.has_cores:
            return np.asarray(place.kneighbors(Z)[0][:, 0])
        # In parts: the differences take as much memory as the rows.
        parts = np.array_split(Z, len(Z) // _CHUNK + 1)
        return np.concatenate([np.linalg.norm(part - place, axis=1) for part in parts])


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
