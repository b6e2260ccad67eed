"""Labels as algorithms give them: one whole number per row, of clusters that there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.foreign import contained, told
from segrun.errors import DataError


def checked_labels(labels: Any, n_samples: int) -> NDArray[np.int64]:
    """Return labels as int64; ValueError if they are not whole numbers from -1 on, one per row."""
    found = np.asarray(labels)
    if found.shape != (n_samples,):
        raise ValueError(f"labels of shape {found.shape} for {n_samples} rows")
    if found.dtype.kind not in "iu":
        raise ValueError(f"labels of type {found.dtype}: labels are whole numbers, noise is -1")
    if found.size and found.min() < -1:
        raise ValueError(f"a label of {found.min()}: labels are numbers from 0, noise is -1")
    # An unsigned -1, for one, would be noise again.
    if found.size and found.max() > np.iinfo(np.int64).max:
        raise ValueError(f"a label of {found.max()}: labels are below 2**63")
    return found.astype(np.int64)


def placed(
    road: Callable[[NDArray[Any]], Any],
    model: Any,
    Z: NDArray[Any],
    fitted: NDArray[np.int64],
    whose: str,
) -> NDArray[np.int64]:
    """Return the labels that a fitted model gives to new rows, noise -1.

    `road` is ``predict`` of the model or ``assign`` of its plugin, `fitted` are labels that rows
    of the fit have, `whose` is the algorithm and who brought it, for messages. DataError if it
    fails, or gives what is not one whole number per row, or clusters that do not exist.
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
