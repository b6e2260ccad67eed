"""``scores.csv`` and ``sizes.csv``, and the models that stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segrun.config import EvaluationConfig, Experiment, ModelsKept
from segrun.evaluation.scores import Scores
from segrun.evaluation.select import broken_limits
from segrun.rundir.directory import RunDirectory
from segrun.rundir.timings import Timings
from segrun.runner.evaluated import Evaluated
from segrun.runner.fit import Outcome

#: Columns after the parameters that come from the scores of a point, in order.
_FROM_SCORES = (
    "n_clusters", "n_noise", "noise_share", "smallest_share", "largest_share", "silhouette",
    "silhouette_se", "silhouette_rows", "davies_bouldin", "calinski_harabasz",
)  # fmt: skip


def write_tables(
    experiment: Experiment, out: RunDirectory, timings: Timings, evaluated: Evaluated
) -> None:
    """Write the scores of all points, and remove the models that are not kept."""
    scores, selected = evaluated.scores, evaluated.selected
    with timings.stage("store"):
        if experiment.store.models is ModelsKept.best:
            kept = (selected, experiment.segments.point)
            out.remove_models(slug for slug in scores if slug not in kept)
        rows = score_rows(evaluated.outcomes, scores, selected, experiment.evaluation)
        out.write_table("scores.csv", rows)
        out.write_table("sizes.csv", size_rows(scores))


def score_rows(
    outcomes: Sequence[Outcome],
    scores: Mapping[str, Scores],
    selected: str | None,
    limits: EvaluationConfig,
) -> list[dict[str, Any]]:
    """Return one row per grid point, the columns of the contract in order."""
    rows = []
    for outcome in outcomes:
        score = scores.get(outcome.point.slug)
        told = {
            "limit": broken_limits(vars(score), limits) if score else "",
            "selected": outcome.point.slug == selected,
        }
        rows.append(_row(outcome, score) | told)
    return rows


def _row(outcome: Outcome, score: Scores | None) -> dict[str, Any]:
    point = outcome.point
    return {
        "point": point.slug,
        "status": outcome.status,
        "reason": outcome.reason or (score.reason if score else ""),
        **{f"param_{name}": value for name, value in point.axes.items()},
        **{name: getattr(score, name) if score else None for name in _FROM_SCORES},
        "inertia": outcome.inertia,
        "n_iter": outcome.n_iter,
        "converged": outcome.converged,
    }


def size_rows(scores: Mapping[str, Scores]) -> list[dict[str, Any]]:
    """Return one row per point and cluster: its rows and silhouette; noise is label -1."""
    rows: list[dict[str, Any]] = []
    for slug, score in scores.items():
        noise = {-1: score.n_noise} if score.n_noise else {}
        for label, n_rows in {**noise, **score.sizes}.items():
            found = score.cluster_silhouettes.get(label)
            rows.append(
                {
                    "point": slug,
                    "label": label,
                    "n_rows": n_rows,
                    "silhouette": found.mean if found else None,
                    "silhouette_se": found.standard_error if found else None,
                    "silhouette_rows": found.n_rows if found else None,
                }
            )
    return rows
