"""Criteria side by side: which point of the grid each would pick, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segrun.config import Criterion, EvaluationConfig
from segrun.evaluation.limits import broken_limits
from segrun.evaluation.select import best
from segrun.formats import as_float

_BETTER = {
    Criterion.silhouette: "high",
    Criterion.davies_bouldin: "low",
    Criterion.calinski_harabasz: "high",
    Criterion.elbow: "knee",
}
#: Column of ``scores.csv`` that a criterion goes by.
_COLUMN = {Criterion.elbow: "inertia"}
STABILITY = "stability"


@dataclass(frozen=True)
class Rated:
    """One point as ``scores.csv`` has it."""

    n_clusters: int
    noise_share: float
    smallest_share: float | None
    largest_share: float | None
    values: Mapping[str, float | None]
    converged: bool | None


@dataclass(frozen=True)
class Choice:
    """What one criterion would pick.

    Attributes
    ----------
    criterion : str
        Its name.
    better : {"high", "low", "knee"}
        Which values are better.
    point : str
        Slug of the point, empty where it cannot tell.
    n_clusters : int or None
        Segments of the point.
    value : float or None
        Its value.
    """

    criterion: str
    better: str
    point: str
    n_clusters: int | None
    value: float | None


def rated(scores: Sequence[Mapping[str, str]]) -> dict[str, Rated]:
    """Return the points of ``scores.csv`` that came to labels."""
    return {row["point"]: _rated(row) for row in scores if row["status"] == "done"}


def _rated(row: Mapping[str, str]) -> Rated:
    names = ("n_clusters", "inertia", "silhouette", "davies_bouldin", "calinski_harabasz")
    return Rated(
        int(row["n_clusters"]),
        float(row["noise_share"]),
        as_float(row["smallest_share"]),
        as_float(row["largest_share"]),
        {name: as_float(row.get(name, "")) for name in names},
        # Runs of before do not tell.
        {"true": True, "false": False}.get(row.get("converged", "")),
    )


def within_limits(points: Mapping[str, Rated], limits: EvaluationConfig) -> dict[str, Rated]:
    """Return the points that break no limit."""
    return {slug: point for slug, point in points.items() if not broken_limits(point, limits)}


def choices(points: Mapping[str, Rated], stability: Mapping[str, float]) -> list[Choice]:
    """Return what each criterion would pick of the points.

    Parameters
    ----------
    points : mapping of str to Rated
        Those within the limits.
    stability : mapping of str to float
        Mean adjusted Rand index of refits to samples, of the points that it was computed for.
    """
    values = {slug: point.values for slug, point in points.items()}
    found = [
        _choice(criterion.value, better, best(values, criterion), points,
                _values(values, _COLUMN.get(criterion, criterion.value)))
        for criterion, better in _BETTER.items()
    ]  # fmt: skip
    known = {slug: value for slug, value in stability.items() if slug in points}
    most = max(known, key=known.__getitem__, default=None)
    return [*found, _choice(STABILITY, "high", most, points, known)]


def _values(values: Mapping[str, Mapping[str, float | None]], name: str) -> dict[str, float | None]:
    return {slug: own[name] for slug, own in values.items()}


def _choice(
    criterion: str,
    better: str,
    point: str | None,
    points: Mapping[str, Rated],
    values: Mapping[str, float | None],
) -> Choice:
    if point is None:
        return Choice(criterion, better, "", None, None)
    return Choice(criterion, better, point, points[point].n_clusters, values[point])


def criteria_rows(found: Sequence[Choice], n_clusters: int) -> list[dict[str, object]]:
    """Return the rows of ``criteria.csv``; `agrees`: as many segments as are described."""
    return [
        {
            "criterion": choice.criterion,
            "better": choice.better,
            "point": choice.point,
            "n_clusters": choice.n_clusters,
            "value": choice.value,
            "agrees": None if choice.n_clusters is None else choice.n_clusters == n_clusters,
        }
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
