"""Noise, and customers that were set aside before clustering: where they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms import resolve
from segrun.algorithms.placing import placed
from segrun.algorithms.registry import brought
from segrun.config import Outliers
from segrun.rundir.customers import Customers
from segrun.segments.clustering import Clustering
from segrun.segments.membership import means, membership
from segrun.segments.segment import NOISE


@dataclass(frozen=True)
class Members:
    """Every customer of a run.

    Attributes
    ----------
    customers : Customers
        The rows that were clustered, then those that were set aside before.
    labels : ndarray of int64, shape (n_samples,)
        What the algorithm calls the segment of each; -1 for outliers.
    inside : ndarray of bool, shape (n_samples,)
        Whether the row is in a segment.
    n_clustered : int
        Number of the rows that were clustered.
    others : mapping of str to ndarray
        Columns that were not clustered.
    """

    customers: Customers
    labels: NDArray[np.int64]
    inside: NDArray[np.bool_]
    n_clustered: int
    others: Mapping[str, NDArray[Any]]


def place(
    clustering: Clustering,
    everyone: Customers,
    about: Mapping[str, NDArray[Any]],
    policy: Outliers,
) -> Members:
    """Return all customers with their segments.

    Parameters
    ----------
    clustering : Clustering
        The point.
    everyone : Customers
        Every customer before the outlier rule.
    about : mapping of str to ndarray
        Further columns, rows as in `everyone`.
    policy : Outliers
        drop: outliers are in no segment; keep: in the nearest; own: in one of their own.
    """
    # A set: numpy compares objects pair by pair.
    clustered = set(clustering.customers.ids.tolist())
    aside = everyone.take(np.array([key not in clustered for key in everyone.ids], dtype=bool))
    customers = clustering.customers.joined(aside) if len(aside) else clustering.customers
    labels = np.append(clustering.labels, np.full(len(aside), NOISE))
    if policy is Outliers.keep:
        labels = _kept(clustering, aside, labels)
    inside = np.ones(len(labels), bool) if policy is Outliers.own else labels != NOISE
    return Members(
        customers, labels, inside, len(clustering.labels), _of(customers, everyone, about)
    )


def _kept(clustering: Clustering, aside: Customers, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels in which outliers have that of the nearest segment."""
    if not (clustering.labels != NOISE).any():
        return labels
    labels = labels.copy()
    Z = clustering.Z
    if len(aside):
        beyond = clustering.transform(aside)
        labels[len(clustering.labels) :] = _assigned(clustering, beyond)
        Z = np.concatenate([Z, beyond])
    left = labels == NOISE
    labels[left] = nearest_segment(clustering, Z[left])
    return labels


def _assigned(clustering: Clustering, Z: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the labels that the model itself gives to new rows, -1 where it cannot."""
    experiment, model = clustering.experiment, clustering.model
    assign = resolve(experiment.algo, experiment.seed).assign
    if model is None or (assign is None and not hasattr(model, "predict")):
        return np.full(len(Z), NOISE)
    road = model.predict if assign is None else lambda rows: assign(model, rows)
    whose = brought(experiment.algo.name, experiment.algo.estimator)
    return placed(road, model, Z, clustering.labels, whose)


def nearest_segment(clustering: Clustering, Z: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each row the label of the segment whose mean is nearest."""
    from sklearn.metrics import pairwise_distances_argmin

    if not len(Z):
        return np.empty(0, dtype=np.int64)
    labels, means = middles(clustering.Z, clustering.labels)
    return np.asarray(labels[pairwise_distances_argmin(Z, means)])


def middles(Z: Any, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the labels without noise, ascending, and the mean row of each; Z may be sparse."""
    inside = labels != NOISE
    found, where = np.unique(labels[inside], return_inverse=True)
    counts = np.bincount(where, minlength=len(found))
    if not isinstance(Z, np.ndarray):
        return found, means(membership(labels, found.tolist()), Z)
    sums = [np.bincount(where, column[inside], len(found)) for column in Z.T]
    return found, np.column_stack(sums) / counts[:, None]


def _of(
    customers: Customers, everyone: Customers, about: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return further columns for rows that may be copies, in any order."""
    if not about:
        return {}
    row_of = {key: row for row, key in enumerate(everyone.ids)}
    rows = np.array([row_of[key] for key in customers.ids], dtype=np.int64)
    return {name: values[rows] for name, values in about.items()}
