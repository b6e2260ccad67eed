"""Which tables the kernels fit."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Squares of larger values may not fit into single precision.
_LARGEST = 1e15


def unfit(X: Any) -> str:
    """Return why the kernels cannot fit such a table, or an empty text."""
    if not isinstance(X, np.ndarray) or X.dtype != np.float64 or X.ndim != 2:
        return "the kernels fit dense tables of float64"
    # What is no number is scikit-learn's to complain of.
    if not X.size or not max(X.max(), -X.min()) < _LARGEST:
        return f"the kernels fit values below {_LARGEST:g}"
    return ""
