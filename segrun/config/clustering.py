"""What is clustered, by what and how it is judged, described and named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from segrun.config.key import Effect, group, key

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


score = partial(key, effect=Effect.SCORES)


@dataclass
class SilhouetteConfig:
    """The cost limit of the silhouette."""

    max_exact_rows: int = score("Up to this many rows the silhouette is exact.", minimum=1)
    sample_rows: int = score(
        "Above it, this many sampled rows are scored against all rows.", minimum=1
    )


class Criterion(Enum):
    """Which point of a grid is the best."""

    silhouette = "silhouette"
    davies_bouldin = "davies_bouldin"
    calinski_harabasz = "calinski_harabasz"
    elbow = "elbow"


@dataclass
class EvaluationConfig:
    """Scores and the choice of the best point."""

    silhouette: SilhouetteConfig = group("When the silhouette is exact and when sampled.")
    max_noise_share: float = score(
        "A point is selected only if at most this share of the rows is noise, 0 to 1.",
        minimum=0,
        maximum=1,
    )
    min_share: float = score(
        "A point is selected only if its smallest segment has at least this share of the rows, "
        "0 to 1.",
        0.0,
        minimum=0,
        maximum=1,
    )
    max_share: float = score(
        "A point is selected only if its largest segment has at most this share of the rows, 0 to "
        "1.",
        1.0,
        minimum=0,
        maximum=1,
    )
    min_clusters: int | None = score(
        "Segments that a selected point has at least; null: any.", None, minimum=1
    )
    max_clusters: int | None = score(
        "Segments that a selected point has at most; null: any.", None, minimum=1
    )
    allow_unconverged: bool = score(
        "true: a point is selected also if its fit did not converge, which iterations up to "
        "max_iter mean as well.",
        False,
    )
    criterion: Criterion = score(
        "What tells the best of the points within the limits: silhouette, davies_bouldin, "
        "calinski_harabasz or elbow (the knee of the inertia over n_clusters).",
        Criterion.silhouette,
    )


told = partial(key, effect=Effect.TELLING)


class Outliers(Enum):
    """What becomes of noise and of customers that the outlier rule has set aside."""

    drop = "drop"
    keep = "keep"
    own = "own"


class Report(Enum):
    """What a run writes for people to look at."""

    none = "none"
    html = "html"


@dataclass
class NamesConfig:
    """What segments are called; the first that applies to a segment names it."""

    rules: dict[str, str] = told(
        "Name by a rule over the segment's profile, such as Champions: Recency < q20 and Amount > "
        "q80. A column stands for the segment's median, q20 for that quantile of all customers.",
        {},
    )
    ordered: list[str] = told(
        "Names in order along `by`, the lowest first, such as [Low, Medium, High].", []
    )
    by: str | None = told("Column whose mean `ordered` goes by.", None)
    propose: bool = told("true: segments without a name get one from their facts.", True)


@dataclass
class StabilityConfig:
    """How stability is judged: the algorithm is fitted again to samples of the customers."""

    refits: int = told("Fits to samples, 0 for none.", 20, minimum=0)
    share: float = told(
        "Share of the customers in each sample, above 0 and below 1.", 0.8, above=0, below=1
    )
    max_rows: int = told("Customers at the most in a sample.", 20_000, minimum=2)


@dataclass
class SegmentsConfig:
    """How the labels of one grid point become segments that people can use."""

    describe: bool = told(
        "true: the run describes its segments; false: segrun describe RUN does so later.", False
    )
    point: str | None = told("Slug of the grid point; null: the selected one.", None)
    order_by: str = told(
        "Canonical order of the segments: size (the largest first) or the name of a column (the "
        "lowest mean first).",
        "size",
    )
    outliers: Outliers = told(
        "Noise, and customers that features.outliers set aside: drop (in no segment), keep (in "
        "the nearest segment) or own (a segment of their own).",
        Outliers.drop,
    )
    names: NamesConfig = group("What segments are called.", NamesConfig)
    stability: StabilityConfig = group("How stability is judged.", StabilityConfig)
