"""The canonical order of segments: the same clusters have the same numbers, whoever fitted them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segrun.errors import DataError
from segrun.nearest import did_you_mean
from segrun.segments.check import SIZE
from segrun.segments.columns import Column
from segrun.segments.segment import NOISE


def ordered_labels(
    labels: NDArray[np.int64], columns: Sequence[Column], order_by: str
) -> list[int]:
    """Return the labels of the segments in canonical order, -1 last where it is a segment.

    Parameters
    ----------
    labels : ndarray of int64, shape (n_samples,)
        Label of every row that is in a segment.
    columns : sequence of Column
        Values of those rows.
    order_by : str
        ``size``, the largest first, or a column, the lowest mean first. Of equals the one whose
        first row comes first.

    Raises
    ------
    DataError
        If there is no such column.
    """
    found, first, where = np.unique(labels, return_index=True, return_inverse=True)
    counts = np.bincount(where, minlength=len(found))
    if order_by == SIZE:
        rank = -counts.astype(np.float64)
    else:
        rank = _means(column_named(order_by, columns, "segments.order_by"), where, len(found))
    order = np.lexsort((first, rank, found == NOISE))
    return [int(label) for label in found[order]]


def _means(column: Column, where: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    known = ~np.isnan(column.values)
    sums = np.bincount(where[known], column.values[known], n)
    counts = np.bincount(where[known], minlength=n)
    # Segments of which nothing is known come last.
    return np.asarray(np.divide(sums, counts, out=np.full(n, np.inf), where=counts > 0))


def column_named(name: str, columns: Sequence[Column], key: str) -> Column:
    """Return a column by its name, in any case of letters where that is clear.

    Raises
    ------
    DataError
        Naming the key that asks for it, and the columns that there are.
    """
    exact = [column for column in columns if column.name == name]
    alike = [column for column in columns if column.name.lower() == name.lower()]
    if exact or len(alike) == 1:
        return (exact or alike)[0]
    names = [column.name for column in columns]
    raise DataError(
        f"{key}: there is no column {name!r}.{did_you_mean(name, names)} Columns: "
        f"{', '.join(names)}"
    )
