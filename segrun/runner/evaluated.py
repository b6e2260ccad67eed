"""The points of a grid once they are fitted: scored together, one of them selected, written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import EvaluationConfig, Experiment, ModelsKept, to_yaml
from segrun.progress import Progress
from segrun.rundir.directory import RunDirectory
from segrun.rundir.timings import Timings
from segrun.runner.preflight.flight import Flight, TimeLimit, TooLongError

if TYPE_CHECKING:
    from segrun.evaluation.scores import Scores
    from segrun.runner.fit import Outcome
    from segrun.runner.grid import Fitted
    from segrun.runner.prepare import Prepared


log = logging.getLogger("segrun.runner.preflight")


@dataclass(frozen=True)
class Evaluated:
    """The grid once it is fitted and scored; its matrices are gone."""

    outcomes: Sequence[Outcome]
    scores: Mapping[str, Scores]
    selected: str | None
    flight: Flight
    facts: Mapping[str, Any]

    def told(self, warned: list[str]) -> Evaluated:
        """Return the same with what was warned of: a list that may still grow."""
        return replace(self, facts={**self.facts, "warnings": warned})

    @property
    def status(self) -> str:
        """``done``: every point; ``incomplete``: some failed; ``failed``: all did."""
        n_failed = sum(outcome.status != "done" for outcome in self.outcomes)
        if not n_failed:
            return "done"
        return "incomplete" if n_failed < len(self.outcomes) else "failed"

    @property
    def reason(self) -> str:
        """Why all points failed, empty if they did not."""
        if self.status != "failed":
            return ""
        first = self.outcomes[0]
        return f"no point came to labels; {first.point.slug}: {first.reason}"


def evaluate_stage(
    experiment: Experiment, ready: Prepared, fitted: Fitted, out: RunDirectory, timings: Timings
) -> Evaluated:
    """Score all points of the grid together and select the best within the limits."""
    # Late: scikit-learn takes over a second to import.
    from segrun.evaluation.select import select, warn_of_limits
    from segrun.segments.cautions import label_cautions

    outcomes, limits = fitted.outcomes, experiment.evaluation
    labels = {o.point.slug: o.labels for o in outcomes if o.labels is not None}
    with timings.stage("evaluate"):
        found = _scored(experiment, ready.transformed.Z, labels, fitted.limit, out)
    converged = {o.point.slug: o.converged for o in outcomes}
    scores = {slug: replace(score, converged=converged[slug]) for slug, score in found.items()}
    selected = select(scores, limits, {o.point.slug: o.inertia for o in outcomes})
    warn_of_limits(scores, selected, limits)
    told = []
    if selected is not None:
        told = label_cautions(labels[selected], scores[selected], ready.customers)
    facts = {
        **fitted.keys,
        "selected": selected,
        "cautions": told,
        "input": ready.fingerprint,
        "rows": len(ready.customers),
        "transactions": ready.facts,
        "features": ready.built.facts,
        **({"centres": fitted.centres} if fitted.centres else {}),
    }
    return Evaluated(outcomes, scores, selected, fitted.flight, facts)


def _scored(
    experiment: Experiment,
    Z: NDArray[np.float64],
    labels: Mapping[str, NDArray[np.int64]],
    limit: TimeLimit,
    out: RunDirectory,
) -> Mapping[str, Scores]:
    """Score the points; a sample of the rows where all take too long and that is allowed."""
    from segrun.evaluation.scores import evaluate

    config, silhouette = experiment.evaluation, experiment.evaluation.silhouette
    n_samples, n_sampled = len(Z), silhouette.sample_rows
    exact = n_sampled < n_samples <= silhouette.max_exact_rows
    fewer = f"a sampled silhouette: evaluation.silhouette.max_exact_rows={n_sampled}"
    cheaper = (f"{fewer} (preflight.action=sample does so by itself)",) if exact else ()

    with Progress("scores", 100) as progress:

        def reached(share: float) -> None:
            progress.reach(share)
            limit.reach("the scores", share, cheaper, can_sample=exact)

        try:
            return evaluate(Z, labels, config, experiment.seed, reached)
        except TooLongError as error:
            log.warning(
                "the silhouette is sampled, %d of %d rows: %s "
                "(preflight.action=sample, preflight.max_seconds)",
                n_sampled, n_samples, error,
            )  # fmt: skip
        config = replace(config, silhouette=replace(silhouette, max_exact_rows=n_sampled))
        # What really ran: done again, it is sampled however fast the machine is then.
        out.write_text("experiment.yaml", to_yaml(replace(experiment, evaluation=config)))
        return evaluate(Z, labels, config, experiment.seed, progress.reach)


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
    # Late: scikit-learn takes over a second to import.
    from segrun.evaluation.select import broken_limits

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
