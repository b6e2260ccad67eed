"""The customers that are in a segment, and the segments in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.sparse import SparseColumns
from segrun.segments.columns import Column, columns_of
from segrun.segments.order import ordered_labels
from segrun.segments.outliers import Members
from segrun.segments.rated import rated_columns
from segrun.segments.segment import NOISE

#: Segments that are described, the largest; the others are only listed.
MAX_SHOWN = 200


@dataclass(frozen=True)
class Population:
    """Customers by segment.

    Attributes
    ----------
    columns : sequence of Column
        Values of the customers that are in a segment.
    labels : sequence of int
        Labels of all segments in canonical order.
    sizes : sequence of int
        Customers in each.
    shown : sequence of int
        Labels of the segments that are described, in canonical order.
    codes : ndarray of int64, shape (n_samples,)
        Place in `shown` of each customer's segment; the number after the last for the others.
    """

    columns: Sequence[Column]
    labels: Sequence[int]
    sizes: Sequence[int]
    shown: Sequence[int]
    codes: NDArray[np.int64]

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
    """Return the customers by segment; `titles` are of columns that are called otherwise.

    Raises
    ------
    DataError
        If the segments are to be in order of a column that is not there.
    """
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
    return Population(
        columns, order, [size_of[label] for label in order], shown,
        codes[where] if len(found) else np.empty(0, dtype=np.int64),
    )  # fmt: skip
