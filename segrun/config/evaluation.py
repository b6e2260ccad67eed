"""Scores and the choice of the best point."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

from segrun.config.key import Effect, group, key

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
