"""Criteria side by side: which point of the grid each would pick, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segrun.algorithms.grid import points
from segrun.config import Criterion, EvaluationConfig, StabilityConfig
from segrun.evaluation.select import Values, best, broken_limits
from segrun.formats import as_float
from segrun.rundir.finished import FinishedRun
from segrun.segments.clustering import Clustering
from segrun.segments.stability import grid_stability

#: Column of ``scores.csv`` that a criterion goes by, and which values are better.
_BETTER = {
    Criterion.silhouette: ("silhouette", "high"),
    Criterion.davies_bouldin: ("davies_bouldin", "low"),
    Criterion.calinski_harabasz: ("calinski_harabasz", "high"),
    Criterion.elbow: ("inertia", "knee"),
}
#: Numbers of segments whose stability is compared, at the most.
_MOST = 12


@dataclass(frozen=True)
class Choice:
    """What one criterion would pick."""

    criterion: str
    better: str  # which values are: high, low or knee
    point: str = ""  # slug of the point, empty where it cannot tell
    n_clusters: int | None = None  # segments of the point
    value: float | None = None


def chosen(
    run: FinishedRun, clustering: Clustering, config: StabilityConfig
) -> tuple[list[Choice], str]:
    """Return what each criterion would pick, and what is to be said of the limits."""
    limits = clustering.experiment.evaluation
    every = rated(run.scores)
    within = within_limits(every, limits)
    told = ""
    if not within:
        told = f"None of the {len(every)} points satisfies the limits of evaluation"
    elif clustering.point.slug not in within:
        told = f"The point {clustering.point.slug} breaks the limits of evaluation"
    stable = _stability(run, clustering, within) if config.refits else {}
    return choices(within, stable), told


def rated(scores: Sequence[Mapping[str, str]]) -> dict[str, Values]:
    """Return the points of ``scores.csv`` that came to labels."""
    names = ("noise_share", "smallest_share", "largest_share", "inertia", "silhouette",
             "davies_bouldin", "calinski_harabasz")  # fmt: skip
    return {
        row["point"]: {
            **{name: as_float(row.get(name, "")) for name in names},
            "n_clusters": int(row["n_clusters"]),
            # Runs of before do not tell.
            "converged": {"true": True, "false": False}.get(row.get("converged", "")),
        }
        for row in scores
        if row["status"] == "done"
    }


def within_limits(points: Mapping[str, Values], limits: EvaluationConfig) -> dict[str, Values]:
    """Return the points that break no limit."""
    return {slug: point for slug, point in points.items() if not broken_limits(point, limits)}


def choices(points: Mapping[str, Values], stability: Mapping[str, float]) -> list[Choice]:
    """Return what each criterion would pick of the points, which are within the limits.

    `stability` is the mean adjusted Rand index of refits to samples, of the points that it was
    computed for.
    """
    found = []
    for criterion, (column, better) in _BETTER.items():
        slug = best(points, criterion)
        picked = () if slug is None else (slug, points[slug]["n_clusters"], points[slug][column])
        found.append(Choice(criterion.value, better, *picked))
    known = {slug: value for slug, value in stability.items() if slug in points}
    most = max(known, key=known.__getitem__, default=None)
    picked = () if most is None else (most, points[most]["n_clusters"], known[most])
    return [*found, Choice("stability", "high", *picked)]


def _stability(
    run: FinishedRun, clustering: Clustering, within: Mapping[str, Values]
) -> dict[str, float]:
    """Return stability by point, where points differ in the number of segments they ask for."""
    experiment = clustering.experiment
    by_slug = {point.slug: point for point in points(experiment.algo)}
    # Points that ask for the same number differ little: the first stands for them.
    first: dict[int, str] = {}
    for slug, point in within.items():
        asked, count = by_slug[slug].params, point["n_clusters"]
        if asked.get("n_clusters", asked.get("n_components")) == count >= 2:
            first.setdefault(count, slug)
    if not 2 <= len(first) <= _MOST:
        return {}
    labels = {slug: run.labels(slug) for slug in first.values()}
    params = {slug: by_slug[slug].params for slug in first.values()}
    return grid_stability(experiment, clustering.Z, labels, params)


def criteria_rows(found: Sequence[Choice], n_clusters: int) -> list[dict[str, object]]:
    """Return the rows of ``criteria.csv``; `agrees`: as many segments as are described."""
    return [
        vars(choice)
        | {"agrees": None if choice.n_clusters is None else choice.n_clusters == n_clusters}
        for choice in found
    ]


def disagreement(found: Sequence[Choice]) -> str:
    """Say which criteria pick how many segments, where they differ; empty where they agree."""
    by_count: dict[int, list[str]] = {}
    for choice in found:
        if choice.n_clusters is not None:
            by_count.setdefault(choice.n_clusters, []).append(choice.criterion)
    if len(by_count) < 2:
        return ""
    told = [f"{' and '.join(names)} {count}" for count, names in sorted(by_count.items())]
    return f"The criteria disagree on the number of segments: {', '.join(told)}"
