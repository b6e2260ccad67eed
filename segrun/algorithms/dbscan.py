"""DBSCAN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.base import Algorithm, Clusterer, Maker


def make(backend: Maker, **params: Any) -> Clusterer:
    """Return the backend's DBSCAN."""
    return backend.make("DBSCAN", **params)


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
    from sklearn.neighbors import NearestNeighbors

    labels = np.full(len(X), -1, dtype=np.int64)
    cores = model.components_
    if not len(cores):
        return labels
    near = NearestNeighbors(n_neighbors=1, metric=model.metric, p=model.p or 2).fit(cores)
    distances, nearest = near.kneighbors(X)
    found = distances[:, 0] <= model.eps
    labels[found] = model.labels_[model.core_sample_indices_[nearest[found, 0]]]
    return labels


algorithm = Algorithm(name="dbscan", make=make, conf="segrun.conf", assign=assign)
