"""The fits that share a start: the best of its trajectories for each tolerance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from segrun.algorithms.native.kmeans.start import Start, centers
from segrun.algorithms.native.kmeans.trajectory import AmbiguousError, Fitted, follow
from segrun.algorithms.native.tiles import Tiles

#: Inertias that are closer, relative to each other, may be so by rounding.
_CLOSE = 1e-9


def fit_start(
    tiles: Tiles,
    start: Start,
    tols: Sequence[float],
    drawn: NDArray[np.int64] | None,
    goes_on: Callable[[], bool],
) -> list[Fitted] | AmbiguousError:
    """Return the fit at each tolerance, the error where rounding decides one.

    Parameters
    ----------
    tiles : Tiles
        The rows.
    start : Start
        Where trajectories start, `n_init` of them.
    tols : sequence of float
        Squared shifts of the centres that end a fit.
    drawn : ndarray of int64 or None
        Rows to start from, where they are known.
    goes_on : callable
        Asked now and then; the work ends where it says no.
    """
    random_state = check_random_state(start.random_state)
    best: list[Fitted] = []
    try:
        for _ in range(start.n_init):
            if drawn is None:
                chosen = centers(tiles, start, random_state)
            else:
                chosen = tiles.X[drawn[: start.n_clusters]]
            found = follow(tiles, chosen, tols, start.max_iter, goes_on)
            best = [_better(*pair) for pair in zip(best, found, strict=True)] if best else found
    except AmbiguousError as error:
        return error
    return best


def _better(best: Fitted, new: Fitted) -> Fitted:
    """Choose as scikit-learn does: a lower inertia counts where the clusters are others."""
    if _same_clusters(new.labels, best.labels):
        return best
    if abs(new.inertia - best.inertia) <= _CLOSE * best.inertia:
        raise AmbiguousError("rounding decides which of two starts is better")
    return new if new.inertia < best.inertia else best


def _same_clusters(labels: NDArray[np.int32], others: NDArray[np.int32]) -> bool:
    """Tell whether each cluster of `labels` lies in one of `others`."""
    of_label = np.full(int(labels.max()) + 1, -1, np.int32)
    of_label[labels] = others
    return bool(np.array_equal(of_label[labels], others))
