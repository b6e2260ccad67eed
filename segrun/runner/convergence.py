"""Whether a fit came to its end by itself, or was cut off at its last iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_CATEGORY = "ConvergenceWarning: "
#: scikit-learn's k-means and Birch have it where they find fewer clusters than they were asked for
#: ("Number of distinct clusters ...", "Number of subclusters ..."): that is no cut-off.
_FEWER = f"{_CATEGORY}Number of "


def converged(model: Any, warnings: Sequence[str]) -> bool | None:
    """Tell whether a fit converged."""
    told = getattr(model, "converged_", None)
    if isinstance(told, bool | np.bool_):
        return bool(told)
    taken, most = getattr(model, "n_iter_", None), getattr(model, "max_iter", None)
    if isinstance(taken, int | np.integer) and isinstance(most, int | np.integer):
        return bool(taken < most)
    cut_off = any(text.startswith(_CATEGORY) and not text.startswith(_FEWER) for text in warnings)
    return False if cut_off else None
