"""The points of a grid once they are fitted: scored together, one of them selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segrun.config import Experiment
from segrun.progress import Progress
from segrun.rundir.timings import Timings

if TYPE_CHECKING:
    from segrun.evaluation.scores import Scores
    from segrun.runner.fit import Outcome
    from segrun.runner.grid import Fitted
    from segrun.runner.preflight.flight import Flight
    from segrun.runner.prepare import Prepared


@dataclass(frozen=True)
class Evaluated:
    """The grid once it is fitted and scored; its matrices are gone.

    Attributes
    ----------
    outcomes : sequence of Outcome
        What became of every point.
    scores : mapping of str to Scores
        By slug, for the points that have labels.
    selected : str or None
        Slug of the best point within the limits.
    flight : Flight
        What the grid was expected to take.
    facts : mapping
        What the manifest says of it.
    """

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
    experiment: Experiment, ready: Prepared, fitted: Fitted, timings: Timings
) -> Evaluated:
    """Score all points of the grid together and select the best within the limits."""
    # Late: scikit-learn takes over a second to import.
    from segrun.evaluation.scores import evaluate
    from segrun.evaluation.select import select, warn_of_limits
    from segrun.segments.cautions import label_cautions

    outcomes, limits = fitted.outcomes, experiment.evaluation
    labels = {o.point.slug: o.labels for o in outcomes if o.labels is not None}
    with timings.stage("evaluate"), Progress("scores", 100) as progress:
        found = evaluate(
            ready.transformed.Z, labels, fitted.flight.evaluation, experiment.seed, progress.reach
        )
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
