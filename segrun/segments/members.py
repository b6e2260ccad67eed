"""Who is in which segment: also noise, and customers that were set aside before clustering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms import resolve
from segrun.algorithms.foreign import placed
from segrun.algorithms.registry import brought
from segrun.config import Outliers
from segrun.rundir.customers import Customers
from segrun.segments.clustering import Clustering, transformed
from segrun.segments.segment import NOISE

#: Rows whose distances are computed at once: four copies of them are there meanwhile.
_BLOCK_ROWS = 65_536


@dataclass(frozen=True)
class Members:
    """Every customer of a run."""

    customers: Customers  # the rows that were clustered, then those that were set aside before
    labels: NDArray[np.int64]  # what the algorithm calls the segment of each; -1 for outliers
    inside: NDArray[np.bool_]  # whether the row is in a segment
    n_clustered: int
    others: Mapping[str, NDArray[Any]]  # columns that were not clustered


def place(
    clustering: Clustering,
    everyone: Customers,
    about: Mapping[str, NDArray[Any]],
    policy: Outliers,
) -> Members:
    """Return all customers with their segments; `about` are further columns of `everyone`."""
    # A set: numpy compares objects pair by pair.
    clustered = set(clustering.customers.ids.tolist())
    aside = everyone.take(np.array([key not in clustered for key in everyone.ids], dtype=bool))
    customers = clustering.customers.joined(aside) if len(aside) else clustering.customers
    labels = np.append(clustering.labels, np.full(len(aside), NOISE))
    if policy is Outliers.keep and (clustering.labels != NOISE).any():
        labels = _kept(clustering, aside, labels)
    inside = np.ones(len(labels), bool) if policy is Outliers.own else labels != NOISE
    others = _of_rows(customers, everyone, about) if about else {}
    return Members(customers, labels, inside, len(clustering.labels), others)


def _kept(clustering: Clustering, aside: Customers, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels in which outliers have that of the nearest segment."""
    Z = clustering.Z
    if len(aside):
        beyond = transformed(aside, clustering.steps)
        labels = np.append(clustering.labels, _assigned(clustering, beyond))
        Z = np.concatenate([Z, beyond])
    left = labels == NOISE
    labels[left] = _nearest(clustering, Z[left])
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


def _nearest(clustering: Clustering, Z: NDArray[np.float64]) -> NDArray[np.int64]:
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
    if not isinstance(Z, np.ndarray):
        return found, segment_means(labels, found.tolist(), Z)
    sums = [np.bincount(where, column[inside], len(found)) for column in Z.T]
    return found, np.column_stack(sums) / np.bincount(where, minlength=len(found))[:, None]


def _of_rows(
    customers: Customers, everyone: Customers, about: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return further columns for rows that may be copies, in any order."""
    row_of = {key: row for row, key in enumerate(everyone.ids)}
    rows = np.array([row_of[key] for key in customers.ids], dtype=np.int64)
    return {name: values[rows] for name, values in about.items()}


def membership(numbers: NDArray[np.int64], segments: Sequence[int]) -> Any:
    """Return a CSR array of shape (n_segments, n_samples), 1 where a row is in a segment."""
    from scipy.sparse import csr_array

    row_of = {number: row for row, number in enumerate(segments)}
    found, where = np.unique(numbers, return_inverse=True)
    rows = np.array([row_of.get(int(number), -1) for number in found], dtype=np.int64)[where]
    inside = np.flatnonzero(rows >= 0)
    ones = np.ones(len(inside))
    return csr_array((ones, (rows[inside], inside)), shape=(len(segments), len(numbers)))


def segment_means(
    numbers: NDArray[np.int64], segments: Sequence[int], matrix: Any
) -> NDArray[np.float64]:
    """Return the mean row of every segment of a CSR array of rows, zeros for an empty one."""
    member = membership(numbers, segments)
    sizes = np.maximum(1.0, member.sum(axis=1))
    found: NDArray[np.float64] = (member @ matrix).toarray() / sizes[:, None]
    return found


def medoids(
    Z: NDArray[np.float64], labels: NDArray[np.int64], ids: NDArray[np.object_], n: int = 3
) -> dict[int, list[str]]:
    """Return the ids of the customers nearest to each segment's mean, the nearest first.

    Noise has none, and copies of a customer count as one.
    """
    rows = np.flatnonzero(labels != NOISE)
    if not len(rows):
        return {}
    found, means = middles(Z, labels)
    where = np.searchsorted(found, labels[rows])
    distance = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        distance[block] = ((Z[rows[block]] - means[where[block]]) ** 2).sum(axis=1)
    # Of equals the first row: the sort is stable.
    ordered = rows[np.lexsort((distance, where))]
    own = np.split(ordered, np.cumsum(np.bincount(where))[:-1])
    return {
        int(label): _first_distinct(ids, nearest, n)
        for label, nearest in zip(found, own, strict=True)
    }


def _first_distinct(ids: NDArray[np.object_], rows: NDArray[np.int64], n: int) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found[str(ids[row])] = None
        if len(found) == n:
            break
    return list(found)
