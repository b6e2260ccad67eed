"""The items that users rate: the columns of a ratings matrix, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Items:
    """One row per item, in the order of the matrix's columns.

    Attributes
    ----------
    ids : ndarray of str objects, shape (n_items,)
        Their ids in the input, always text; names of the features.
    titles : ndarray of str objects, shape (n_items,)
        What people call them: the id, where the input has no title.
    n_ratings : ndarray of int64, shape (n_items,)
        Ratings in the input.
    means : ndarray of float64, shape (n_items,)
        Mean of these, before centring.
    """

    ids: NDArray[np.object_]
    titles: NDArray[np.object_]
    n_ratings: NDArray[np.int64]
    means: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str]:
        """Return a name per item to show: its title, with the id where several share the title."""
        found, counts = np.unique(self.titles.astype(str), return_counts=True)
        shared = set(found[counts > 1])
        pairs = zip(self.titles, self.ids, strict=True)
        return [f"{title} [{key}]" if title in shared else str(title) for title, key in pairs]
