"""The customer table: what the features build, augmentation replicates and algorithms cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.idtype import TEXT, IdType
from segrun.rundir.sparse import SparseColumns

#: Names that result files have for themselves.
TAKEN = ("label", "replica")

_BLOCK_ROWS = 4096


@dataclass(frozen=True)
class Customers:
    """One row per customer (or per copy of a customer).

    Attributes
    ----------
    id_column : str
        Name of the id column in the input.
    ids : ndarray of str objects, shape (n_samples,)
        Customer ids, always text.
    columns : mapping of str to ndarray of shape (n_samples,)
        The features in order, ``int64`` or ``float64``; SparseColumns for ratings.
    replica : ndarray of int64, shape (n_samples,), or None
        Number of the copy, from 0, where the table was augmented.
    id_type : IdType
        How results write the ids: as they stand in the input.
    """

    id_column: str
    ids: NDArray[np.object_]
    columns: Mapping[str, NDArray[np.int64] | NDArray[np.float64]]
    replica: NDArray[np.int64] | None = None
    id_type: IdType = TEXT

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def feature_names(self) -> list[str]:
        """Names of the features, in order."""
        return list(self.columns)

    @cached_property
    def written_ids(self) -> Any:
        """The ids as a polars Series of the type that they have in the input."""
        return self.id_type.written(self.ids)

    def bare(self) -> Customers:
        """Return the ids without any feature."""
        return replace(self, columns={})

    def X(self) -> NDArray[np.float64]:  # noqa: N802 - the field's name for it
        """Return the features as a C-contiguous float64 array of shape (n_samples, n_features)."""
        if isinstance(self.columns, SparseColumns):
            dense: NDArray[np.float64] = self.columns.matrix.toarray()
            return dense
        # Into its place at once: no second copy of all columns. Rows that fit into the cache at a
        # time, since a whole column is written to every line of memory.
        found = np.empty((len(self), len(self.columns)))
        for start in range(0, len(self), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            for place, values in enumerate(self.columns.values()):
                found[rows, place] = values[rows]
        return found

    def matrix(self) -> Any:
        """Return the features as scikit-learn takes them: a CSR array where sparse, else `X`."""
        return self.columns.matrix if isinstance(self.columns, SparseColumns) else self.X()

    def joined(self, below: Customers) -> Customers:
        """Return the rows of both, those of `below` last, with the same features.

        Where only these have no `replica`, it is 0 for them.
        """
        columns: Mapping[str, Any]
        if isinstance(self.columns, SparseColumns):
            assert isinstance(below.columns, SparseColumns)
            columns = self.columns.joined(below.columns)
        else:
            columns = {n: np.concatenate([v, below.columns[n]]) for n, v in self.columns.items()}
        replica = self.replica
        if replica is not None:
            more = below.replica if below.replica is not None else np.zeros(len(below), np.int64)
            replica = np.append(replica, more)
        return replace(self, ids=np.append(self.ids, below.ids), columns=columns, replica=replica)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Customers:
        """Return the chosen rows as a new table; those of a slice are not copied, unless sparse."""
        if isinstance(self.columns, SparseColumns):
            columns: Mapping[str, Any] = self.columns.take(rows)
        else:
            columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(
            self,
            ids=self.ids[rows],
            columns=columns,
            replica=None if self.replica is None else self.replica[rows],
        )
