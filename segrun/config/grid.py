"""What is clustered, by what, with which parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from segrun.config.key import Effect, key

data = partial(key, effect=Effect.DATA)
label = partial(key, effect=Effect.LABELS)


@dataclass
class AugmentationConfig:
    """Replication of the customer table, for studies at larger sizes."""

    factor: int | None = data(
        "Repeat the table this many times, at least 1; null: not by factor.", minimum=1
    )
    rows: int | None = data(
        "Repeat the table and keep exactly this many rows, at least 1; null: not by rows.",
        minimum=1,
    )
    lognormal_columns: list[str] = data("Columns that get exp(N(0, 1)) added, as the kit's Amount.")
    max_step: int = data(
        "Every other column gets a random integer from 0 to this one added (kit: 4).", minimum=0
    )


class Scale(Enum):
    """How each feature is scaled."""

    standard = "standard"
    robust = "robust"
    none = "none"


@dataclass
class TransformConfig:
    """The scikit-learn pipeline in front of the algorithm."""

    log1p: list[str] = data("Columns that go through log(1 + x) first; ['*'] means every column.")
    scale: Scale = data(
        "standard (mean 0, deviation 1), robust (median 0, interquartile range 1) or none."
    )
    pca: float | None = data(
        "Principal components kept: a number of 1 or more, or the share of variance to keep "
        "(between 0 and 1); null: no PCA."
    )
    svd: int | None = data(
        "Components of a truncated SVD kept, at least 1, instead of pca; null: no SVD.",
        None,
        minimum=1,
    )


@dataclass
class AlgoConfig:
    """One algorithm with its parameters and grid."""

    name: str = label("Registered algorithm, or a label of your own where `estimator` is given.")
    estimator: str | None = label(
        "Import path of a scikit-learn clusterer, such as sklearn.cluster.Birch; "
        "null: the plugin registered as `name`.",
        None,
    )
    params: dict[str, Any] = label(
        "Every tunable of the algorithm. null for an axis of `grid`; a value there fixes the "
        "axis and takes it out of the grid.",
        {},
    )
    grid: dict[str, list[Any]] = label(
        "Axes of the grid: values per parameter. One combination is a point.", {}
    )
    shared_centres: bool = label(
        "true: the starting centres of each n_clusters are drawn once, by scikit-learn's "
        "k-means++ from the seed, and given to every backend as `init`, so that backends can be "
        "compared; false: the estimator draws its own.",
        False,
    )
    search: dict[str, Any] = key(
        "What an optimiser draws each parameter from, in Hydra's grammar: range(2, 31), "
        "interval(0.1, 1), tag(log, interval(1e-6, 1e-2)), choice(a, b) or a list. An axis of "
        "`grid` that is not in it, or null, is drawn from the grid's values.",
        {},
        effect=Effect.NONE,
    )
