"""The scikit-learn steps in front of the algorithm: fitted once, saved with every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import AugmentationConfig, Scale, TransformConfig
from segrun.config.values import as_argument
from segrun.errors import ConfigError, DataError
from segrun.features.augment import label
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
    """Refuse impossible settings before any data is read."""
    if feature_names is not None:
        _log_columns(feature_names, config.log1p)
    _check_reduction(config)
    if feature_names is not None:
        _check_components(config, len(feature_names), "features", iterative=False)


def fit_transform(customers: Customers, config: TransformConfig, seed: int) -> Transformed:
    """Fit the steps on the features and return the matrix to cluster."""
    sparse = isinstance(customers.columns, SparseColumns)
    X = customers.matrix()
    steps = _sparse_steps(X, config, seed) if sparse else _steps(customers, X, config, seed)
    for _, step in steps:
        # Not fit_transform: PCA's differs from its transform in the last bits, and a saved
        # model, which can only transform, must see what the algorithm saw.
        X = step.fit(X).transform(X)
    Z = filled(X)
    Z.setflags(write=False)
    return Transformed(Z, steps, () if sparse else customers.feature_names)


def parameters(customers: Customers, transformed: Transformed) -> list[dict[str, object]]:
    """Return what was fitted of every column: ``z = (log(1 + x) or x - centre) / scale``."""
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
    _check_components(config, X.shape[1], "features", iterative=False)
    _check_components(config, len(X), "rows", iterative=False)
    return steps + _reduction(config, seed, sparse=False)


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
            f"transform.log1p, {as_argument('transform.log1p', rest)}, or remove such rows "
            "(returns, most often) from the data"
        )
    # One entry per column: ColumnTransformer puts columns in the order of its entries, and the
    # order of the features must stay. np.log1p pickles by name: models load without segrun.
    return ColumnTransformer(
        [
            (name, FunctionTransformer(np.log1p) if name in chosen else "passthrough", [column])
            for column, name in enumerate(feature_names)
        ]
    )


def check_sparse(config: TransformConfig, augmentation: AugmentationConfig | None = None) -> None:
    """Refuse what would fill the matrix, or means nothing where most values are zero."""
    if list(config.log1p) not in ([], ["*"]):
        raise ConfigError(
            f"transform.log1p={list(config.log1p)}: features=ratings has one column per item; "
            "use [] or ['*'] for all of them"
        )
    if config.scale is Scale.robust:
        raise ConfigError(
            "transform.scale=robust: the quartiles of features=ratings are zero, for most users "
            "have not rated an item. Use standard (deviation 1, means as they are) or none"
        )
    if augmentation is not None and (augmentation.factor or augmentation.rows):
        raise ConfigError(
            f"augmentation={label(augmentation)}: its jitter would give every user of "
            "features=ratings a rating of every item. Use augmentation=none; for more users, "
            "dataset=synthetic_ratings dataset.n_users=N"
        )


def _sparse_steps(X: Any, config: TransformConfig, seed: int) -> list[tuple[str, Any]]:
    """Return the unfitted steps for a sparse matrix."""
    # Late: scikit-learn takes over a second to import.
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    check_sparse(config)
    _check_components(config, X.shape[1], "features", iterative=True)
    _check_components(config, X.shape[0], "rows", iterative=True)
    steps: list[tuple[str, Any]] = []
    if config.log1p:
        least = X.data.min(initial=0.0)
        if least <= -1:
            raise DataError(
                f"log(1 + x) is undefined: the least value is {least:g}. Set transform.log1p=[], "
                "or features.centre=none"
            )
        steps.append(("log1p", FunctionTransformer(np.log1p, accept_sparse=True)))
    if config.scale is Scale.standard:
        steps.append(("scale", StandardScaler(with_mean=False)))
    return steps + _reduction(config, seed, sparse=True)


def _check_reduction(config: TransformConfig) -> None:
    """Refuse settings that no data can satisfy."""
    pca, svd = config.pca, config.svd
    if pca is not None and not (0 < pca < 1 or (pca >= 1 and pca == int(pca))):
        raise ConfigError(
            "transform.pca must be null, a share between 0 and 1, or a whole number of "
            f"components. Got {pca} instead"
        )
    if pca is not None and svd is not None:
        raise ConfigError(
            f"transform.pca={pca:g} and transform.svd={svd} exclude each other: set one to null"
        )


def _check_components(config: TransformConfig, n: int, what: str, *, iterative: bool) -> None:
    """Refuse more components than there are rows or features."""
    for key, asked in (("pca", config.pca), ("svd", config.svd)):
        # A share is of the features themselves.
        strict = asked is not None and asked >= 1 and (iterative or key == "svd")
        most = n - 1 if strict else n
        if asked is not None and asked > most:
            raise ConfigError(
                f"transform.{key}={asked:g} asks for more components than there are {what}: "
                f"at most {most}"
            )


def _reduction(config: TransformConfig, seed: int, *, sparse: bool) -> list[tuple[str, Any]]:
    """Return the step that reduces the columns, none where it is not asked for."""
    # Late: scikit-learn takes over a second to import.
    from sklearn.decomposition import PCA, TruncatedSVD

    if config.svd is not None:
        step = TruncatedSVD(config.svd, algorithm="arpack", random_state=seed)
        return [("svd", step)]
    if config.pca is None:
        return []
    n_components = config.pca if config.pca < 1 else int(config.pca)
    solver = "auto"
    if sparse:
        # A share needs all components: those of the n_features x n_features covariance.
        solver = "covariance_eigh" if config.pca < 1 else "arpack"
    return [("pca", PCA(n_components=n_components, svd_solver=solver, random_state=seed))]
