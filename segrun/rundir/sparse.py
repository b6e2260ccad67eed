"""Ratings as features: a sparse matrix that reads like a mapping of columns, and its items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Items:
    """One row per item, in the order of the matrix's columns."""

    ids: NDArray[np.object_]  #: Their ids in the input, always text; names of the features
    titles: NDArray[np.object_]  #: What people call them: the id, where the input has no title
    n_ratings: NDArray[np.int64]  #: Ratings in the input
    means: NDArray[np.float64]  #: Mean of these, before centring

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str]:
        """Return a name per item to show: its title, with the id where several share the title."""
        found, counts = np.unique(self.titles.astype(str), return_counts=True)
        shared = set(found[counts > 1])
        pairs = zip(self.titles, self.ids, strict=True)
        return [f"{title} [{key}]" if title in shared else str(title) for title, key in pairs]


class SparseColumns(Mapping[str, NDArray[np.float64]]):
    """The features of users by item, without the zeros.

    What is stored was rated, a stored zero included; what is not stored was not.
    """

    def __init__(self, matrix: Any, catalogue: Items) -> None:
        self.matrix = matrix
        self.catalogue = catalogue

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self._by_column[:, [self._places[name]]].toarray().ravel()
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(map(str, self.catalogue.ids))

    def __len__(self) -> int:
        return len(self.catalogue)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __reduce__(self) -> tuple[Any, ...]:
        # Without what is derived from it.
        return SparseColumns, (self.matrix, self.catalogue)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> SparseColumns:
        """Return the chosen rows (indices, mask or slice)."""
        return SparseColumns(self.matrix[rows], self.catalogue)

    def joined(self, below: SparseColumns) -> SparseColumns:
        """Return the rows of both, those of `below` last."""
        from scipy.sparse import vstack

        return SparseColumns(vstack([self.matrix, below.matrix], format="csr"), self.catalogue)

    @property
    def dense_bytes(self) -> int:
        """Bytes of the same matrix with its zeros."""
        n_samples, n_items = self.matrix.shape
        return 8 * int(n_samples) * int(n_items)

    @cached_property
    def _by_column(self) -> Any:
        return self.matrix.tocsc()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {str(name): place for place, name in enumerate(self.catalogue.ids)}


def filled(X: Any) -> NDArray[np.float64]:
    """Return a matrix with its zeros: C-contiguous float64, the same object where it is that."""
    return np.ascontiguousarray(X if isinstance(X, np.ndarray) else X.toarray(), dtype=np.float64)


def write_matrix(path: Any, matrix: Any) -> None:
    """Write a sparse matrix as scipy does, the same bytes for the same matrix."""
    from scipy.sparse import save_npz

    with path.open("wb") as file:
        save_npz(file, matrix)


def read_matrix(path: Any) -> Any:
    """Return what `write_matrix` wrote."""
    from scipy.sparse import csr_array, load_npz

    return csr_array(load_npz(path))
