"""DBSCAN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.base import Algorithm, Clusterer, Maker
from segrun.algorithms.grid import fit_together, shares


def make(backend: Maker, **params: Any) -> Clusterer:
    """Return the backend's DBSCAN."""
    return backend.make("DBSCAN", **params)


def fit_grid(backend: Maker, X: NDArray[Any], points: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Yield the model of every point; the kernels share what points have in common."""
    return fit_together([make(backend, **point) for point in points], X)


def assign(model: Any, X: NDArray[Any]) -> NDArray[np.int64]:
    """Return the cluster of the nearest core row within ``eps``, noise -1 where none is.

    Of cores equally near, the first counts. Core and noise rows of the fit get the labels of
    the fit; a border row may, where clusters touch, get the nearer one's.

    Parameters
    ----------
    model : DBSCAN
        Fitted.
    X : ndarray of shape (n_samples, n_features)
        New rows.
    """
    labels = np.full(len(X), -1, dtype=np.int64)
    # Equal rows are core rows of one cluster: the first stands for all.
    _, first = np.unique(model.components_, axis=0, return_index=True)
    if not len(first):
        return labels
    cores = np.sort(first)
    distances, nearest = _nearest(model, model.components_[cores], X)
    found = distances <= model.eps
    labels[found] = model.labels_[model.core_sample_indices_[cores[nearest[found]]]]
    return labels


def _nearest(
    model: Any, cores: NDArray[Any], X: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distance and number of the nearest core of each row, of equals the first."""
    from sklearn.neighbors import NearestNeighbors

    distance = {name: getattr(model, name) for name in ("metric", "metric_params", "p")}
    near = NearestNeighbors(**distance).fit(cores)
    distances, nearest = np.empty(len(X)), np.empty(len(X), dtype=np.int64)
    rows, n_asked = np.arange(len(X)), 1
    while len(rows):
        n_asked = min(2 * n_asked, len(cores))
        found, numbers = near.kneighbors(X[rows], n_asked)
        equal = found == found[:, :1]
        distances[rows] = found[:, 0]
        nearest[rows] = np.where(equal, numbers, len(cores)).min(axis=1)
        # Trees name equals in any order: where all that were asked for are, ask for more.
        rows = rows[equal[:, -1]] if n_asked < len(cores) else rows[:0]
    return distances, nearest


algorithm = Algorithm(
    name="dbscan",
    make=make,
    conf="segrun.conf",
    fit_grid=fit_grid,
    shares=shares,
    assign=assign,
)
