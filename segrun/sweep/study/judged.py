"""What an optimiser is told of a job: a state, and a value per objective."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segrun.sweep.study import attributes
from segrun.sweep.study.limits import Limits, violations
from segrun.sweep.study.objective import Objective
from segrun.sweep.study.settings import Settings


@dataclass(frozen=True)
class Judged:
    """What the optimiser is told.

    Attributes
    ----------
    state : {"COMPLETE", "FAIL"}
        Of the trial.
    values : list of float or None
        One per objective; None of a failed trial.
    attrs : dict
        User attributes of the trial.
    """

    state: str
    values: list[float] | None
    attrs: dict[str, Any]

    @classmethod
    def of(
        cls,
        scores: Mapping[str, float | None] | None,
        settings: Settings,
        attrs: Mapping[str, Any],
    ) -> Judged:
        """Judge the scores of a job; None: it has failed."""
        told = {key: value for key, value in attrs.items() if value not in (None, "")}
        if scores is None:
            return cls("FAIL", None, {"reason": "the job failed", **told})
        known = _known(scores)
        told[attributes.SCORES] = known
        names = [objective.name for objective in settings.objectives]
        missing = [name for name in names if known.get(name) is None]
        if missing:
            told[attributes.DEGENERATE] = missing
        values = [_value(objective, known) for objective in settings.objectives]
        numbers = [value for value in values if value is not None]
        if len(numbers) < len(values):
            name = names[values.index(None)]
            reason = f"{name} is undefined, and an optimiser cannot be told of a worst one"
            return cls("FAIL", None, {"reason": reason, **told})
        return cls("COMPLETE", numbers, told)


def eligible(attrs: Mapping[str, Any], limits: Limits) -> bool:
    """Return whether a finished trial may be among the best: not degenerate, within the limits."""
    scores = attrs.get(attributes.SCORES, {})
    return attributes.DEGENERATE not in attrs and not any(
        violation > 0 for violation in violations(scores, limits)
    )


def _known(scores: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the scores without NaN and infinity, coverage added."""
    known = {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in scores.items()
    }
    noise = known.get("noise_share")
    if noise is not None and known.get("coverage") is None:
        known["coverage"] = 1 - noise
    return known


def _value(objective: Objective, known: Mapping[str, Any]) -> float | None:
    value = known.get(objective.name)
    return objective.worst if value is None else float(value)
