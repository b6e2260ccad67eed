"""Trials: as they are asked for, as the optimiser is told of them, and which are the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from segrun.algorithms.space.dimension import Dimension
from segrun.algorithms.space.space import Space
from segrun.sweep.study.settings import Objective, ScoreLimits, Settings, violations

#: User attributes of a trial: who runs it, its scores, which objectives are undefined, whose job
#: it repeats, and what its scores are of (see ``segrun.report.sweep``).
OWNER = "owner"
SCORES = "scores"
DEGENERATE = "degenerate"
RETRY_OF = "retry_of"
MATRIX = "matrix"


@dataclass(frozen=True)
class OpenTrial:
    """A point that is to be tried: options by group, values by full key, both by Optuna's names."""

    number: int
    choices: dict[str, str]
    values: dict[str, Any]
    params: dict[str, Any]


@dataclass(frozen=True)
class StoredTrial:
    """A trial as the storage has it.

    `job` is the number of the trial that it was first asked as: another one if it was retried.
    `values` has one per objective. `choices` and `drawn` are empty while not all is drawn.
    """

    number: int
    job: int
    state: str
    values: tuple[float, ...]
    choices: dict[str, str]
    drawn: dict[str, Any]
    params: dict[str, Any]
    attrs: dict[str, Any]

    @classmethod
    def of(cls, trial: FrozenTrial, space: Space) -> StoredTrial:
        """Return what a trial of the storage means in a space."""
        choices, drawn = space.placed(trial.params)
        return cls(
            number=trial.number,
            job=trial.user_attrs.get(RETRY_OF, trial.number),
            state=trial.state.name,
            values=tuple(trial.values or ()),
            choices=choices,
            drawn=drawn,
            params=dict(trial.params),
            attrs=dict(trial.user_attrs),
        )


def drawn(trial: optuna.Trial, space: Space) -> OpenTrial:
    """Draw what the trial lacks; values that it has stay."""
    choices = {
        group: trial.suggest_categorical(group, options) for group, options in space.groups.items()
    }
    base = space.base(choices)
    names = space.names(base)
    for key, dimension in base.dimensions.items():
        _suggest(trial, names[key], dimension)
    choices, values = space.placed(trial.params)
    return OpenTrial(trial.number, choices, values, trial.params)


def _suggest(trial: optuna.Trial, name: str, found: Dimension) -> None:
    if found.kind == "choice":
        trial.suggest_categorical(name, found.choices)
        return
    assert found.low is not None
    assert found.high is not None
    if found.kind == "int":
        low, high, step = int(found.low), int(found.high), int(found.step or 1)
        trial.suggest_int(name, low, high, step=step, log=found.log)
    else:
        trial.suggest_float(name, found.low, found.high, step=found.step, log=found.log)


def judged(
    scores: Mapping[str, float | None] | None, settings: Settings, attrs: Mapping[str, Any]
) -> tuple[list[float] | None, dict[str, Any]]:
    """Return the values that an optimiser is told of a job and the trial's user attributes.

    No scores: the job has failed. No values: so has the trial.
    """
    told = {key: value for key, value in attrs.items() if value not in (None, "")}
    if scores is None:
        return None, {"reason": "the job failed", **told}
    known = _known(scores)
    told[SCORES] = known
    missing = [goal.name for goal in settings.objectives if known.get(goal.name) is None]
    if missing:
        told[DEGENERATE] = missing
    values = []
    for goal in settings.objectives:
        value = goal.worst if goal.name in missing else known[goal.name]
        if value is None:
            reason = f"{goal.name} is undefined, and an optimiser cannot be told of a worst one"
            return None, {"reason": reason, **told}
        values.append(float(value))
    return values, told


def _known(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the scores without NaN and infinity, coverage added."""
    known = {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in scores.items()
    }
    noise = known.get("noise_share")
    if noise is not None and known.get("coverage") is None:
        known["coverage"] = 1 - noise
    return known


def eligible(attrs: Mapping[str, Any], limits: ScoreLimits) -> bool:
    """Return whether a finished trial may be among the best: not degenerate, within the limits."""
    missed = violations(attrs.get(SCORES, {}), limits)
    return DEGENERATE not in attrs and not any(violation > 0 for violation in missed)


def losses(objectives: Sequence[Objective], values: Sequence[float]) -> tuple[float, ...]:
    """Return the values of objectives, turned so that less is better."""
    return tuple(
        -value if objective.direction == "maximize" else value
        for objective, value in zip(objectives, values, strict=True)
    )


def front(losses: Mapping[int, tuple[float, ...]]) -> list[int]:
    """Return the Pareto front by number: nobody is as good everywhere and better somewhere."""
    numbers = sorted(losses, key=lambda number: (losses[number], number))
    return [n for n in numbers if not any(_dominates(a, losses[n]) for a in losses.values())]


def _dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
