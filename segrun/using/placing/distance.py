"""How far rows are from the clusters of a model, as it measures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Rows whose differences from centres are held at once.
_CHUNK = 65_536


def to_cores(model: Any, Z: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance of rows to the nearest core row of their own cluster.

    Parameters
    ----------
    model : object
        With core rows, as DBSCAN has them; its metric counts.
    Z : ndarray of shape (n_samples, n_components)
        Transformed rows.
    labels : ndarray of shape (n_samples,)
        Their labels; of noise the nearest core row of all counts.

    Returns
    -------
    ndarray of shape (n_samples,)
        nan where there is no core row.
    """
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
    """Return the Euclidean distance of rows to the centre of their own cluster.

    Parameters
    ----------
    names : ndarray of shape (n_clusters,)
        Labels of the clusters, ascending.
    centres : ndarray of shape (n_clusters, n_components)
        Their centres.
    Z : ndarray of shape (n_samples, n_components)
        Transformed rows.
    labels : ndarray of shape (n_samples,)
        Their labels; of noise the nearest centre counts.

    Returns
    -------
    ndarray of shape (n_samples,)
        nan where there is no cluster.
    """
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
