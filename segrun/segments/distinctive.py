"""The items that set a segment apart from the others: TF-IDF over what its users rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.customers import Customers
from segrun.rundir.sparse import SparseColumns
from segrun.segments.membership import means, membership


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

    Parameters
    ----------
    customers : Customers
        Users with sparse features.
    numbers : ndarray of int64, shape (n_samples,)
        Segment of each, a number that `names` lacks for those of no segment.
    names : mapping of int to str
        Segments in order, number and name.
    n_top : int, default=20
        Items per segment at the most.

    Returns
    -------
    list of dict
        Rows of ``distinctive.csv``: ``share`` of the segment's users that have rated the item,
        and of all users.
    """
    columns = customers.columns
    assert isinstance(columns, SparseColumns)
    weight = weights(columns, numbers, list(names))
    rated = _rated(columns.matrix)
    share = means(membership(numbers, list(names)), rated)
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


def weights(
    columns: SparseColumns, numbers: NDArray[np.int64], segments: Sequence[int]
) -> NDArray[np.float64]:
    """Return the weight of every item in every segment, shape (n_segments, n_items)."""
    matrix = columns.matrix
    return tf_idf(means(membership(numbers, segments), matrix), matrix.mean(axis=0))


def tf_idf(mean: NDArray[np.float64], overall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of every item in every segment; see `distinctive`.

    Parameters
    ----------
    mean : ndarray of shape (n_segments, n_items)
        Mean value per segment.
    overall : ndarray of shape (n_items,)
        Mean value of all users.
    """
    # Late: scikit-learn takes over a second to import.
    from sklearn.feature_extraction.text import TfidfTransformer

    excess = mean - overall
    # Sums of floats in another order differ in the last bits, which is no excess.
    excess[excess <= 1e-12 * np.abs(overall)] = 0.0
    found: NDArray[np.float64] = TfidfTransformer().fit_transform(excess).toarray()
    return found


def _rated(matrix: Any) -> Any:
    """Return the matrix with 1 for every value that is stored."""
    rated = matrix.copy()
    rated.data = np.ones_like(matrix.data)
    return rated
