"""What is clustered, by what, with which parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from segrun.config.key import Effect, key


@dataclass
class AugmentationConfig:
    """Replication of the customer table, for studies at larger sizes."""

    factor: int | None = key(
        "Repeat the table this many times, at least 1; null: not by factor.",
        effect=Effect.DATA,
        minimum=1,
    )
    rows: int | None = key(
        "Repeat the table and keep exactly this many rows, at least 1; null: not by rows.",
        effect=Effect.DATA,
        minimum=1,
    )
    lognormal_columns: list[str] = key(
        "Columns that get exp(N(0, 1)) added, as the kit's Amount.", effect=Effect.DATA
    )
    max_step: int = key(
        "Every other column gets a random integer from 0 to this one added (kit: 4).",
        effect=Effect.DATA,
        minimum=0,
    )


class Scale(Enum):
    """How each feature is scaled."""

    standard = "standard"
    robust = "robust"
    none = "none"


@dataclass
class TransformConfig:
    """The scikit-learn pipeline in front of the algorithm."""

    log1p: list[str] = key(
        "Columns that go through log(1 + x) first; ['*'] means every column.", effect=Effect.DATA
    )
    scale: Scale = key(
        "standard (mean 0, deviation 1), robust (median 0, interquartile range 1) or none.",
        effect=Effect.DATA,
    )
    pca: float | None = key(
        "Principal components kept: a number of 1 or more, or the share of variance to keep "
        "(between 0 and 1); null: no PCA.",
        effect=Effect.DATA,
    )
    svd: int | None = key(
        "Components of a truncated SVD kept, at least 1, instead of pca; null: no SVD.",
        None,
        effect=Effect.DATA,
        minimum=1,
    )


@dataclass
class AlgoConfig:
    """One algorithm with its parameters and grid."""

    name: str = key(
        "Registered algorithm, or a label of your own where `estimator` is given.",
        effect=Effect.LABELS,
    )
    estimator: str | None = key(
        "Import path of a scikit-learn clusterer, such as sklearn.cluster.Birch; "
        "null: the plugin registered as `name`.",
        None,
        effect=Effect.LABELS,
    )
    params: dict[str, Any] = key(
        "Every tunable of the algorithm. null for an axis of `grid`; a value there fixes the "
        "axis and takes it out of the grid.",
        {},
        effect=Effect.LABELS,
    )
    grid: dict[str, list[Any]] = key(
        "Axes of the grid: values per parameter. One combination is a point.",
        {},
        effect=Effect.LABELS,
    )
    shared_centres: bool = key(
        "true: the starting centres of each n_clusters are drawn once, by scikit-learn's "
        "k-means++ from the seed, and given to every backend as `init`, so that backends can be "
        "compared; false: the estimator draws its own.",
        False,
        effect=Effect.LABELS,
    )
    search: dict[str, Any] = key(
        "What an optimiser draws each parameter from, in Hydra's grammar: range(2, 31), "
        "interval(0.1, 1), tag(log, interval(1e-6, 1e-2)), choice(a, b) or a list. An axis of "
        "`grid` that is not in it, or null, is drawn from the grid's values.",
        {},
        effect=Effect.NONE,
    )
