"""The scikit-learn steps in front of the algorithm that sparse features can go through."""

from __future__ import annotations

from typing import Any

import numpy as np

from segrun.config import AugmentationConfig, Scale, TransformConfig
from segrun.errors import ConfigError, DataError
from segrun.features.augment import label
from segrun.features.reduction import check_components, reduction


def check(config: TransformConfig, augmentation: AugmentationConfig | None = None) -> None:
    """Refuse what would fill the matrix, or means nothing where most values are zero.

    Parameters
    ----------
    config : TransformConfig
        The transform.
    augmentation : AugmentationConfig, optional
        What comes before it.

    Raises
    ------
    ConfigError
        Naming the key and what is allowed.
    """
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


def sparse_steps(X: Any, config: TransformConfig, seed: int) -> list[tuple[str, Any]]:
    """Return the unfitted steps for a sparse matrix.

    Parameters
    ----------
    X : csr_array of shape (n_samples, n_features)
        The features.
    config : TransformConfig
        What is asked for; ``scale=standard`` leaves the means as they are.
    seed : int
        The experiment's seed.

    Raises
    ------
    ConfigError
        If more components are asked for than rows or features allow.
    DataError
        If log(1 + x) is undefined for a value.
    """
    # Late: scikit-learn takes over a second to import.
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    check(config)
    check_components(config, X.shape[1], "features", iterative=True)
    check_components(config, X.shape[0], "rows", iterative=True)
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
    return steps + reduction(config, seed, sparse=True)
