"""The scikit-learn steps in front of the algorithm: fitted once, saved with every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Scale, TransformConfig
from segrun.config.advice import setting
from segrun.errors import ConfigError, DataError
from segrun.features import reduction
from segrun.features.reduction import check_components
from segrun.features.sparse_steps import sparse_steps
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import SparseColumns, filled


@dataclass(frozen=True)
class Transformed:
    """The matrix that is clustered and the steps that made it.

    Attributes
    ----------
    Z : ndarray of shape (n_samples, n_components)
        float64, C-contiguous, read-only: every fit of the grid sees the same input.
    steps : sequence of (name, transformer)
        Fitted stock scikit-learn transformers; empty where nothing is transformed.
    names : sequence of str
        The columns that they take, in order; empty of a sparse matrix.
    """

    Z: NDArray[np.float64]
    steps: Sequence[tuple[str, Any]]
    names: Sequence[str] = ()


def check(config: TransformConfig, feature_names: Sequence[str] | None) -> None:
    """Refuse impossible settings before any data is read.

    Raises
    ------
    ConfigError
        If `pca` is neither a share of variance nor a number of components that the features
        allow, or `log1p` names a column that they lack, as far as they are known (not None).
    """
    if feature_names is not None:
        _log_columns(feature_names, config.log1p)
    reduction.check(config)
    if feature_names is not None:
        check_components(config, len(feature_names), "features", iterative=False)


def fit_transform(customers: Customers, config: TransformConfig, seed: int) -> Transformed:
    """Fit the steps on the features and return the matrix to cluster.

    Raises
    ------
    ConfigError
        If `pca` asks for more components than there are rows.
    DataError
        If log(1 + x) is undefined for a value.
    """
    sparse = isinstance(customers.columns, SparseColumns)
    X = customers.matrix()
    steps = sparse_steps(X, config, seed) if sparse else _steps(customers, X, config, seed)
    for _, step in steps:
        # Not fit_transform: PCA's differs from its transform in the last bits, and a saved
        # model, which can only transform, must see what the algorithm saw.
        X = step.fit(X).transform(X)
    Z = filled(X)
    Z.setflags(write=False)
    return Transformed(Z, steps, () if sparse else customers.feature_names)


def parameters(customers: Customers, transformed: Transformed) -> list[dict[str, object]]:
    """Return what was fitted of every column: ``z = (log(1 + x) or x - centre) / scale``.

    Returns
    -------
    list of dict
        ``column, log1p, centre, scale``; empty where columns are not scaled one by one.
    """
    steps = dict(transformed.steps)
    scaler = steps.get("scale")
    if scaler is None or isinstance(customers.columns, SparseColumns):
        return []
    # Standard and robust scalers have other names for it.
    centres = scaler.mean_ if hasattr(scaler, "mean_") else scaler.center_
    logged = (
        {n for n, step, _ in steps["log1p"].transformers if step != "passthrough"}
        if ("log1p" in steps)
        else set()
    )
    return [
        {"column": name, "log1p": name in logged, "centre": float(centre), "scale": float(scale)}
        for name, centre, scale in zip(customers.feature_names, centres, scaler.scale_, strict=True)
    ]


def _steps(
    customers: Customers, X: NDArray[np.float64], config: TransformConfig, seed: int
) -> list[tuple[str, Any]]:
    # Late: scikit-learn takes over a second to import.
    from sklearn.preprocessing import RobustScaler, StandardScaler

    steps: list[tuple[str, Any]] = []
    chosen = _log_columns(customers.feature_names, config.log1p)
    if chosen:
        steps.append(("log1p", _log1p(customers.feature_names, X, chosen)))
    if config.scale is Scale.standard:
        steps.append(("scale", StandardScaler()))
    elif config.scale is Scale.robust:
        steps.append(("scale", RobustScaler()))
    check_components(config, X.shape[1], "features", iterative=False)
    check_components(config, len(X), "rows", iterative=False)
    return steps + reduction.reduction(config, seed, sparse=False)


def _log_columns(feature_names: Sequence[str], log1p: Sequence[str]) -> list[str]:
    if list(log1p) == ["*"]:
        return list(feature_names)
    unknown = [name for name in log1p if name not in feature_names]
    if unknown:
        raise ConfigError(
            f"transform.log1p names {unknown}, which the features lack. "
            f"Features: {', '.join(feature_names)}, or ['*'] for all of them"
        )
    return list(log1p)


def _log1p(feature_names: list[str], X: NDArray[np.float64], chosen: list[str]) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer

    least = dict(zip(feature_names, X.min(axis=0), strict=True))
    undefined = [name for name in chosen if least[name] <= -1]
    if undefined:
        name = undefined[0]
        rest = [other for other in chosen if other not in undefined]
        raise DataError(
            f"log(1 + {name}) is undefined: the least {name} is {least[name]:g}. Leave it out of "
            f"transform.log1p, {setting('transform.log1p', rest)}, or remove such rows (returns, "
            "most often) from the data"
        )
    # One entry per column: ColumnTransformer puts columns in the order of its entries, and the
    # order of the features must stay. np.log1p pickles by name: models load without segrun.
    return ColumnTransformer(
        [
            (name, FunctionTransformer(np.log1p) if name in chosen else "passthrough", [column])
            for column, name in enumerate(feature_names)
        ]
    )
