"""What only ratings have: the items that set segments of users apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.segments.columns import Column
from segrun.segments.inertia import inertia_rows
from segrun.segments.members import Members, segment_means
from segrun.segments.segment import Segments

#: Items per segment that become columns of the profile.
_N_PROFILED = 3


def rated_columns(columns: SparseColumns, labels: NDArray[np.int64]) -> list[Column]:
    """Return who has rated the most distinctive items of each segment, ``Rated=TITLE``.

    A column per item, thousands of them, is no description.
    """
    weight = _weights(columns, labels, [int(n) for n in np.unique(labels) if n >= 0])
    top = np.argsort(-weight, axis=1, kind="stable")[:, :_N_PROFILED]
    chosen = sorted({int(item) for row, own in zip(weight, top, strict=True)
                     for item in own if row[item] > 0})  # fmt: skip
    titles, matrix = columns.catalogue.names(), columns.matrix.tocsc()
    found = []
    for item in chosen:
        rated = np.zeros(len(labels))
        rated[matrix.indices[matrix.indptr[item] : matrix.indptr[item + 1]]] = 1.0
        found.append(Column(f"Rated={titles[item]}", rated, clustered=True, category=True))
    return found


def column_titles(customers: Customers) -> Sequence[str]:
    """Return what to call the features: the titles of items, else their names."""
    columns = customers.columns
    if isinstance(columns, SparseColumns):
        return columns.catalogue.names()
    return customers.feature_names


def rating_tables(
    run: FinishedRun, members: Members, numbers: NDArray[np.int64], segments: Segments
) -> dict[str, list[dict[str, Any]]]:
    """Return the tables that only ratings have, by name."""
    if not isinstance(members.customers.columns, SparseColumns):
        return {}
    names = {s.number: s.name for s in segments.segments}
    return {
        "distinctive": distinctive(members.customers, numbers, names),
        "inertia": inertia_rows(run, segments.point),
    }


def distinctive(
    customers: Customers, numbers: NDArray[np.int64], names: Mapping[int, str], n_top: int = 20
) -> list[dict[str, Any]]:
    """Return the most distinctive items of every segment, the most distinctive first.

    Segments are the documents and items the terms. The frequency of an item in a segment is by
    how much the mean of its values over the segment's users exceeds that over all users, a value
    that is missing counting as 0; an item that does not exceed it is not in the document. So an
    item that everybody rates is nobody's. The rest is scikit-learn's ``TfidfTransformer``:
    ``tf * (ln((1 + n) / (1 + df)) + 1)`` with n segments, df of which have the item, and each
    segment's row divided by its Euclidean length.
    """
    columns = customers.columns
    assert isinstance(columns, SparseColumns)
    weight = _weights(columns, numbers, list(names))
    rated = columns.matrix.copy()
    rated.data = np.ones_like(rated.data)
    share = segment_means(numbers, list(names), rated)
    overall = np.bincount(rated.indices, minlength=len(columns)) / len(numbers)
    titles = columns.catalogue.names()
    rows = []
    for place, (number, name) in enumerate(names.items()):
        # Ties by share, then in the order of the items.
        order = np.lexsort((-share[place], -weight[place]))
        top = [item for item in order[:n_top] if weight[place, item] > 0]
        rows += [
            {
                "segment": number, "name": name, "rank": rank, "item": titles[item],
                "tf_idf": float(weight[place, item]), "share": float(share[place, item]),
                "overall_share": float(overall[item]),
            }
            for rank, item in enumerate(top, start=1)
        ]  # fmt: skip
    return rows


def _weights(
    columns: SparseColumns, numbers: NDArray[np.int64], segments: Sequence[int]
) -> NDArray[np.float64]:
    matrix = columns.matrix
    return tf_idf(segment_means(numbers, segments, matrix), matrix.mean(axis=0))


def tf_idf(mean: NDArray[np.float64], overall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of every item in every segment, shape (n_segments, n_items).

    `mean` has the mean value per segment, `overall` that of all users; see `distinctive`.
    """
    # Late: scikit-learn takes over a second to import.
    from sklearn.feature_extraction.text import TfidfTransformer

    excess = mean - overall
    # Sums of floats in another order differ in the last bits, which is no excess.
    excess[excess <= 1e-12 * np.abs(overall)] = 0.0
    found: NDArray[np.float64] = TfidfTransformer().fit_transform(excess).toarray()
    return found
