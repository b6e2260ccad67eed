"""What segments of users are described by, where their features are ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.segments.columns import Column
from segrun.segments.distinctive import distinctive, weights
from segrun.segments.inertia import inertia_rows
from segrun.segments.outliers import Members
from segrun.segments.segment import Segments

#: Items per segment that become columns of the profile.
_N_PROFILED = 3


def rated_columns(columns: SparseColumns, labels: NDArray[np.int64]) -> list[Column]:
    """Return who has rated the most distinctive items of each segment, ``Rated=TITLE``.

    A column per item, thousands of them, is no description.

    Parameters
    ----------
    columns : SparseColumns
        The users' ratings.
    labels : ndarray of int64, shape (n_samples,)
        Segment of each as the algorithm calls it, noise -1.
    """
    weight = weights(columns, labels, [int(n) for n in np.unique(labels) if n >= 0])
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
    """Return the tables that only ratings have, by name.

    Parameters
    ----------
    run : FinishedRun
        The run.
    members : Members
        Its customers.
    numbers : ndarray of int64, shape (n_samples,)
        Segment of each, -1 for those of none.
    segments : Segments
        The segments.
    """
    if not isinstance(members.customers.columns, SparseColumns):
        return {}
    names = {s.number: s.name for s in segments.segments}
    return {
        "distinctive": distinctive(members.customers, numbers, names),
        "inertia": inertia_rows(run, segments.point),
    }
