"""The customers that are in a segment, and the segments in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.sparse import SparseColumns
from segrun.segments.members import Members
from segrun.segments.profile import Column, column_named, columns_of
from segrun.segments.ratings import rated_columns
from segrun.segments.rule import SIZE
from segrun.segments.segment import NOISE

#: Segments that are described, the largest; the others are only listed.
MAX_SHOWN = 200


@dataclass(frozen=True)
class Population:
    """Customers by segment."""

    columns: Sequence[Column]  # values of the customers that are in a segment
    labels: Sequence[int]  # of all segments, in canonical order
    sizes: Sequence[int]  # customers in each
    shown: Sequence[int]  # labels of the segments that are described, in canonical order
    codes: NDArray[np.int64]  # place in `shown` of each customer's segment, after the last without

    @property
    def numbers(self) -> dict[int, int]:
        """Number of each segment by label: its place in the canonical order, -1 for outliers."""
        return {
            label: NOISE if label == NOISE else place for place, label in enumerate(self.labels)
        }

    @property
    def n_groups(self) -> int:
        """Groups that codes tell apart: those shown, and the others together if there are any."""
        return len(self.shown) + (len(self.labels) > len(self.shown))


def population(
    members: Members, order_by: str, titles: Mapping[str, str] | None = None
) -> Population:
    """Return the customers by segment; `titles` are of columns that are called otherwise."""
    clustered = members.customers.columns
    if isinstance(clustered, SparseColumns):
        columns = [*rated_columns(clustered, members.labels), *columns_of({}, members.others)]
    else:
        columns = columns_of(clustered, members.others)
    columns = [replace(column, title=(titles or {}).get(column.name, "")) for column in columns]
    labels = members.labels
    # Mostly everybody is: nothing is copied then.
    if not members.inside.all():
        columns = [column.take(members.inside) for column in columns]
        labels = labels[members.inside]
    order = ordered_labels(labels, columns, order_by)
    found, where, counts = np.unique(labels, return_inverse=True, return_counts=True)
    size_of = dict(zip(found.tolist(), counts.tolist(), strict=True))
    largest = set(sorted(order, key=lambda label: -size_of[label])[:MAX_SHOWN])
    shown = [label for label in order if label in largest]
    place_of = {label: place for place, label in enumerate(shown)}
    codes = np.array([place_of.get(label, len(shown)) for label in found.tolist()], dtype=np.int64)
    return Population(columns, order, [size_of[label] for label in order], shown, codes[where])


def ordered_labels(
    labels: NDArray[np.int64], columns: Sequence[Column], order_by: str
) -> list[int]:
    """Return the labels of the segments in canonical order, -1 last where it is a segment.

    By ``size`` the largest first, by a column the lowest mean; of equals the one whose first row
    comes first.
    """
    found, first, where = np.unique(labels, return_index=True, return_inverse=True)
    if order_by == SIZE:
        rank = -np.bincount(where, minlength=len(found)).astype(np.float64)
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
