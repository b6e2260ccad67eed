"""Fewer columns: principal components or truncated SVD, of dense and of sparse features."""

from __future__ import annotations

from typing import Any

from segrun.config import TransformConfig
from segrun.errors import ConfigError


def check(config: TransformConfig) -> None:
    """Refuse settings that no data can satisfy.

    Raises
    ------
    ConfigError
        If `pca` is neither a share nor a number, or both are asked for.
    """
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


def check_components(config: TransformConfig, n: int, what: str, *, iterative: bool) -> None:
    """Refuse more components than there are rows or features.

    Parameters
    ----------
    config : TransformConfig
        What is asked for.
    n : int
        Number of what there is.
    what : {"rows", "features"}
        What it is.
    iterative : bool
        Whether the components are those of sparse features or of an SVD: these are found one by
        one, and are fewer than rows and features.

    Raises
    ------
    ConfigError
        Naming the key and the largest number allowed.
    """
    for key, asked in (("pca", config.pca), ("svd", config.svd)):
        # A share is of the features themselves.
        strict = asked is not None and asked >= 1 and (iterative or key == "svd")
        most = n - 1 if strict else n
        if asked is not None and asked > most:
            raise ConfigError(
                f"transform.{key}={asked:g} asks for more components than there are {what}: "
                f"at most {most}"
            )


def reduction(config: TransformConfig, seed: int, *, sparse: bool) -> list[tuple[str, Any]]:
    """Return the step that reduces the columns, none where it is not asked for.

    Parameters
    ----------
    config : TransformConfig
        What is asked for.
    seed : int
        The experiment's seed.
    sparse : bool
        Whether the features are: scikit-learn's PCA then centres them without filling them.
    """
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
