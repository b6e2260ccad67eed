"""What both roads to summed distances give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sums:
    """Summed distances from scored rows to clusters, computed on demand.

    Attributes
    ----------
    height : int
        Rows to ask for at once.
    resolution : ndarray of float64, shape (n_scored,)
        Mean distance of each row that is zero but for rounding.
    of : callable
        Takes a slice of at most `height` scored rows; returns an array of its own, shape
        (n_clusters, n_rows): summed distance to every cluster, counted through the label sets.
        All of them in the same unit, whichever that is: silhouettes have none.
    """

    height: int
    resolution: NDArray[np.float64]
    of: Callable[[slice], NDArray[Any]]
