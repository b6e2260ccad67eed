"""Where fits of k-means start, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.kmeans.seeding import n_trials, starting_rows
from segrun.algorithms.native.tiles import Tiles


@dataclass(frozen=True, eq=False)
class Start:
    """What fits that follow the same trajectories have in common.

    Attributes
    ----------
    n_clusters, max_iter, n_init : int
        As in scikit-learn's KMeans; `n_init` resolved.
    init : str or ndarray of shape (n_clusters, n_features)
        k-means++, random or centres.
    random_state : int, RandomState or None
        What starts are drawn from.
    """

    n_clusters: int
    max_iter: int
    n_init: int
    init: Any
    random_state: Any

    @property
    def key(self) -> object:
        """Equal for starts that are the same; equal to nothing where chance is not repeatable."""
        if isinstance(self.init, str):
            if not isinstance(self.random_state, (int, np.integer)):
                return self
            drawn: tuple[Any, ...] = (self.init, int(self.random_state))
        else:
            drawn = (np.asarray(self.init, np.float64).tobytes(),)
        return (self.n_clusters, self.max_iter, self.n_init, *drawn)

    @property
    def draw(self) -> tuple[int, int] | None:
        """Seed and tries of the k-means++ that starts of several n_clusters share."""
        plain = self.n_init == 1 and isinstance(self.init, str) and self.init == "k-means++"
        if plain and isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state), n_trials(self.n_clusters)
        return None


def centers(tiles: Tiles, start: Start, random_state: np.random.RandomState) -> NDArray[np.float64]:
    """Return starting centres, of centred rows, drawn as scikit-learn draws them."""
    if not isinstance(start.init, str):
        given: NDArray[np.float64] = np.array(start.init, np.float64) - tiles.mean
        return given
    n_samples = len(tiles.X)
    if start.init == "random":
        weights = np.ones(n_samples)
        rows = random_state.choice(
            n_samples, size=start.n_clusters, replace=False, p=weights / weights.sum()
        )
    else:
        rows = starting_rows(tiles, start.n_clusters, n_trials(start.n_clusters), random_state)
    return tiles.X[rows]
