"""Which label a stored model gives to a row, and how far the row is from its cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.foreign import placed
from segrun.algorithms.registry import brought, find
from segrun.errors import StoreError
from segrun.rundir.finished import FinishedRun
from segrun.segments.members import middles
from segrun.segments.segment import NOISE


class Training(Protocol):
    """What placing new rows must know of those of the fit."""

    @property
    def names(self) -> NDArray[np.int64]:
        """Labels of the clusters, ascending."""

    @property
    def middles(self) -> NDArray[np.float64]:
        """Mean of the transformed rows of each cluster, in the order of `names`."""

    def known(
        self, X: Any, ids: NDArray[np.object_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Tell which rows equal one of the fit bit for bit, and its label (else noise).

        Of several, the customer's own counts, then the first.
        """


@dataclass(frozen=True)
class TrainingRows:
    """The rows of a fit in memory."""

    X: Any  #: In the units of the input; ratings are sparse
    labels: NDArray[np.int64]  #: Their labels
    ids: NDArray[np.object_]  #: Whose they are
    transform: Callable[[Any], NDArray[np.float64]]  #: Returns rows as the algorithm saw them

    @cached_property
    def names(self) -> NDArray[np.int64]:
        """Labels of the clusters, ascending."""
        return np.unique(self.labels[self.labels != NOISE])

    @cached_property
    def middles(self) -> NDArray[np.float64]:
        """Mean of the transformed rows of each cluster, in the order of `names`."""
        if not len(self.names):
            return np.empty((0, self.X.shape[1]))
        return middles(self.transform(self.X), self.labels)[1]

    def known(
        self, X: Any, ids: NDArray[np.object_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Tell which rows equal one of the fit; see `Training`."""
        first, own = self._rows
        keys = zip(ids, content_keys(X), strict=True)
        row = np.array([own.get(key, first.get(key[1], -1)) for key in keys], dtype=np.int64)
        labels = np.full(len(row), NOISE, dtype=np.int64)
        labels[row >= 0] = self.labels[row[row >= 0]]
        return row >= 0, labels

    @cached_property
    def _rows(self) -> tuple[dict[bytes, int], dict[tuple[str, bytes], int]]:
        """Rows of the fit by content, and by whose they are and content."""
        keys = content_keys(self.X)
        first = {keys[i]: i for i in reversed(range(len(keys)))}
        return first, {(self.ids[i], key): i for i, key in enumerate(keys)}


def content_keys(X: Any) -> list[bytes]:
    """Return what tells rows apart: two are equal bit for bit where these are."""
    if isinstance(X, np.ndarray):
        # Plus zero: -0.0 equals 0.0, though not bit for bit.
        return [row.tobytes() for row in np.ascontiguousarray(X, dtype=np.float64) + 0.0]
    # Sparse: where the values stand, and what they are.
    return [
        X.indices[a:b].tobytes() + b"|" + X.data[a:b].tobytes()
        for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)
    ]


#: Rows whose differences from centres are held at once.
_CHUNK = 65_536


def to_cores(model: Any, Z: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance of rows to the nearest core row of their own cluster."""
    owners = np.asarray(model.labels_)[model.core_sample_indices_]
    if not len(owners) or not len(Z):
        return np.full(len(labels), np.nan)
    found, nearest = _nearest(model, model.components_, Z)
    # One search for all, as clusters may be thousands: most rows are nearest to their own.
    other = (labels != owners[nearest]) & np.isin(labels, owners)
    for label in np.unique(labels[other]):
        rows = np.flatnonzero(other & (labels == label))
        found[rows] = _nearest(model, model.components_[owners == label], Z[rows])[0]
    return found


def to_centres(
    names: NDArray[np.int64],
    centres: NDArray[np.float64],
    Z: NDArray[np.float64],
    labels: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the Euclidean distance of rows to the centre of their own cluster."""
    found = np.full(len(labels), np.nan)
    if not len(names):
        return found
    inside = np.flatnonzero(np.isin(labels, names))
    # In parts: the differences take as much memory as the rows.
    for rows in np.array_split(inside, len(inside) // _CHUNK + 1):
        own = centres[np.searchsorted(names, labels[rows])]
        found[rows] = np.linalg.norm(Z[rows] - own, axis=1)
    outside = np.flatnonzero(~np.isin(labels, names))
    for rows in np.array_split(outside, len(outside) // _CHUNK + 1):
        for centre in centres:
            away = np.linalg.norm(Z[rows] - centre, axis=1)
            found[rows] = np.fmin(found[rows], away)
    return found


def _nearest(
    model: Any, cores: NDArray[np.float64], Z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distance and number of the nearest core of each row."""
    from sklearn.neighbors import NearestNeighbors

    names = ("metric", "metric_params", "p")
    metric = {name: getattr(model, name) for name in names if hasattr(model, name)}
    distances, numbers = NearestNeighbors(n_neighbors=1, **metric).fit(cores).kneighbors(Z)
    return distances[:, 0], numbers[:, 0]


Road = Callable[[NDArray[np.float64]], NDArray[Any]]


@dataclass(frozen=True)
class Assigner:
    """A stored model with the rows that it was fitted on."""

    steps: Any  #: The fitted transform; None where there was none
    clusterer: Any  #: The fitted clusterer
    road: Road | None  #: Gives labels of transformed rows; None where the algorithm has none
    training: Training  #: The rows of the fit
    whose: str = "the model"  #: The algorithm and who brought it, for messages

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return rows as the algorithm saw those of the fit."""
        return transformed(self.steps, X)

    def predict(self, Z: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the labels that the model gives to transformed rows, noise -1."""
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
        """Return the distance of rows to their own cluster; of noise to the nearest one."""
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
    """Return the model of a point, ready for new rows."""
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
