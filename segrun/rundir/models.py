"""Fitted models: the pipeline that is stored of a point, and its file."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segrun.errors import StoreError

#: The step in front, which refuses a table whose columns are others, or in another order.
COLUMNS = "columns"


def pipeline(names: Sequence[str], steps: Sequence[tuple[str, Any]], model: tuple[str, Any]) -> Any:
    """Return a fitted scikit-learn pipeline that knows the names of its columns.

    A sparse matrix has no names of columns: then they are empty.
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


def write_model(path: Path, model: Any) -> None:
    """Write a model, however deep its objects hold one another."""
    import joblib

    try:
        joblib.dump(model, path)
    except RecursionError:
        # A chain of objects, such as the leaves of Birch's tree, is as deep as it is long. joblib
        # pickles in Python, whose calls take no stack of the system's.
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(1_000_000)
        try:
            joblib.dump(model, path)
        finally:
            sys.setrecursionlimit(before)


def read_model(path: Path) -> Any:
    """Return a stored model; a StoreError if this scikit-learn, or no plugin here, can load it."""
    import joblib
    from sklearn.exceptions import InconsistentVersionWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            return joblib.load(path)
    except InconsistentVersionWarning as error:
        raise StoreError(
            f"{path} was written by scikit-learn {error.original_sklearn_version}, this is "
            f"{error.current_sklearn_version}, which may predict otherwise: install that version"
        ) from error
    except Exception as error:
        raise StoreError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error


def read_mapped(path: Path) -> Any:
    """Return what `write_model` wrote; its arrays are read from the file as they are used."""
    import joblib

    return joblib.load(path, mmap_mode="r")
