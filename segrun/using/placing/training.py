"""The rows that a model was fitted on, as far as placing new ones needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segrun.segments.members import middles
from segrun.segments.segment import NOISE


class Training(Protocol):
    """What placing new rows must know of those of the fit."""

    @property
    def names(self) -> NDArray[np.int64]:
        """Labels of the clusters, ascending."""

    @property
    def middles(self) -> NDArray[np.float64]:
        """Mean of the transformed rows of each cluster, in the order of `names`."""

    def known(
        self, X: Any, ids: NDArray[np.object_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Tell which rows equal one of the fit bit for bit, and its label (else noise).

        Of several, the customer's own counts, then the first.
        """


@dataclass(frozen=True)
class TrainingRows:
    """The rows of a fit in memory.

    Attributes
    ----------
    X : array of shape (n_training, n_features)
        In the units of the input; ratings are sparse.
    labels : ndarray of shape (n_training,)
        Their labels.
    ids : ndarray of shape (n_training,)
        Whose they are.
    transform : callable
        Returns rows as the algorithm saw them.
    """

    X: Any
    labels: NDArray[np.int64]
    ids: NDArray[np.object_]
    transform: Callable[[Any], NDArray[np.float64]]

    @cached_property
    def names(self) -> NDArray[np.int64]:
        """Labels of the clusters, ascending."""
        return np.unique(self.labels[self.labels != NOISE])

    @cached_property
    def middles(self) -> NDArray[np.float64]:
        """Mean of the transformed rows of each cluster, in the order of `names`."""
        if not len(self.names):
            return np.empty((0, self.X.shape[1]))
        return middles(self.transform(self.X), self.labels)[1]

    def known(
        self, X: Any, ids: NDArray[np.object_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Tell which rows equal one of the fit; see `Training`."""
        first, own = self._rows
        keys = zip(ids, content_keys(X), strict=True)
        row = np.array([own.get(key, first.get(key[1], -1)) for key in keys], dtype=np.int64)
        labels = np.full(len(row), NOISE, dtype=np.int64)
        labels[row >= 0] = self.labels[row[row >= 0]]
        return row >= 0, labels

    @cached_property
    def _rows(self) -> tuple[dict[bytes, int], dict[tuple[str, bytes], int]]:
        """Rows of the fit by content, and by whose they are and content."""
        keys = content_keys(self.X)
        first = {keys[i]: i for i in reversed(range(len(keys)))}
        return first, {(self.ids[i], key): i for i, key in enumerate(keys)}


def content_keys(X: Any) -> list[bytes]:
    """Return what tells rows apart: two are equal bit for bit where these are.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Rows, in a CSR array where they are sparse.
    """
    if isinstance(X, np.ndarray):
        # Plus zero: -0.0 equals 0.0, though not bit for bit.
        return [row.tobytes() for row in np.ascontiguousarray(X, dtype=np.float64) + 0.0]
    # Sparse: where the values stand, and what they are.
    return [
        X.indices[a:b].tobytes() + b"|" + X.data[a:b].tobytes()
        for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)
    ]
