"""Labels of new rows, as an algorithm gives them: those of clusters that there are, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.backend import checked_labels
from segrun.algorithms.foreign import contained
from segrun.algorithms.upstream import told
from segrun.errors import DataError


def placed(
    road: Callable[[NDArray[Any]], Any],
    model: Any,
    Z: NDArray[Any],
    fitted: NDArray[np.int64],
    whose: str,
) -> NDArray[np.int64]:
    """Return the labels that a fitted model gives to new rows, noise -1.

    Parameters
    ----------
    road : callable
        ``predict`` of the model, or ``assign`` of its plugin.
    model : estimator
        The fitted model.
    Z : ndarray of shape (n_samples, n_features)
        New rows.
    fitted : ndarray of int64
        Labels that rows of the fit have.
    whose : str
        The algorithm and who brought it, for messages.

    Raises
    ------
    DataError
        If it fails, or gives what is not one whole number per row, or clusters that do not exist.
    """
    try:
        with contained():
            labels = checked_labels(road(Z), len(Z))
        _refuse_strange(labels, model, fitted)
    except (Exception, SystemExit) as error:
        raise DataError(
            f"{whose} cannot place new rows: {told(error)}. No label is written"
        ) from error
    return labels


def _refuse_strange(labels: NDArray[np.int64], model: Any, fitted: NDArray[np.int64]) -> None:
    there = np.union1d(fitted, np.arange(_n_clusters(model)))
    strange = (labels >= 0) & ~np.isin(labels, there)
    if strange.any():
        known = there[there >= 0]
        which = f"{known.min()} to {known.max()}" if len(known) else "none"
        raise ValueError(
            f"{int(strange.sum())} of {len(labels)} rows get labels of clusters that do not exist, "
            f"such as {labels[strange][0]}; the clusters are {which}"
        )


def _n_clusters(model: Any) -> int:
    """Return how many clusters a model knows: one may have no row of the fit."""
    known = [len(getattr(model, a)) for a in ("cluster_centers_", "weights_") if hasattr(model, a)]
    return max(known, default=0)
