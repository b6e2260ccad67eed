"""The pipeline that is stored of a point: the names of the columns, the transform, the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

#: The step in front, which refuses a table whose columns are others, or in another order.
COLUMNS = "columns"


def pipeline(names: Sequence[str], steps: Sequence[tuple[str, Any]], model: tuple[str, Any]) -> Any:
    """Return a fitted scikit-learn pipeline that knows the names of its columns.

    Parameters
    ----------
    names : sequence of str
        The features, in order; empty of a sparse matrix, which has no names of columns.
    steps : sequence of (name, transformer)
        The fitted transform.
    model : tuple of (name, clusterer)
        The fitted clusterer.
    """
    from sklearn.pipeline import Pipeline

    return Pipeline([*_named(names), *steps, model])


def bare(stored: Any) -> Any:
    """Return a stored pipeline as it takes arrays, without a word on the names of columns."""
    return stored[1:] if stored.steps[0][0] == COLUMNS else stored


def _named(names: Sequence[str]) -> list[tuple[str, Any]]:
    from sklearn.preprocessing import FunctionTransformer

    if not names:
        return []
    # A step of its own: not every clusterer looks at names, and the steps behind it take arrays.
    checked = FunctionTransformer(validate=True, feature_names_out="one-to-one")
    checked.fit(np.zeros((1, len(names))))
    # What fitting on a table of these columns sets.
    checked.feature_names_in_ = np.array(names, dtype=object)
    return [(COLUMNS, checked)]
