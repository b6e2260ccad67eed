"""Trials: as they are asked for, and as the storage has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from segrun.algorithms.space.dimension import Dimension
from segrun.algorithms.space.space import Space
from segrun.sweep.study import attributes
from segrun.sweep.study.judged import Judged
from segrun.sweep.study.limits import Limits, violations


@dataclass(frozen=True)
class Ask:
    """A point that is to be tried.

    Attributes
    ----------
    number : int
        Of the trial.
    choices : dict
        Option by group.
    values : dict
        By full key.
    params : dict
        The same by Optuna's names.
    """

    number: int
    choices: dict[str, str]
    values: dict[str, Any]
    params: dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A trial as the storage has it.

    Attributes
    ----------
    number : int
        Of the trial.
    job : int
        Number of the trial that it was first asked as: another one if it was retried.
    state : str
        ``RUNNING``, ``WAITING``, ``COMPLETE``, ``FAIL`` or ``PRUNED``.
    values : tuple of float
        One per objective; empty where it has none.
    choices : dict
        Option by group; empty where not all is drawn yet, as `drawn`.
    drawn : dict
        Values by full key.
    params : dict
        The same by Optuna's names.
    attrs : dict
        User attributes, scores included.
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
    def of(cls, trial: FrozenTrial, space: Space) -> Found:
        """Return what a trial of the storage means in a space."""
        choices, drawn = space.placed(trial.params)
        return cls(
            number=trial.number,
            job=trial.user_attrs.get(attributes.RETRY_OF, trial.number),
            state=trial.state.name,
            values=tuple(trial.values or ()),
            choices=choices,
            drawn=drawn,
            params=dict(trial.params),
            attrs=dict(trial.user_attrs),
        )


def drawn(trial: optuna.Trial, space: Space) -> Ask:
    """Draw what the trial lacks; values that it has stay."""
    choices = {
        group: trial.suggest_categorical(group, options) for group, options in space.groups.items()
    }
    base = space.base(choices)
    names = space.names(base)
    for key, dimension in base.dimensions.items():
        _suggest(trial, names[key], dimension)
    choices, values = space.placed(trial.params)
    return Ask(trial.number, choices, values, trial.params)


def retried(failed: FrozenTrial, judged: Judged, limits: Limits) -> FrozenTrial:
    """Return the trial that a failed one's job has come to after all."""
    scores = judged.attrs.get(attributes.SCORES, {})
    missed = violations(scores, limits) if judged.state == "COMPLETE" else []
    return optuna.trial.create_trial(
        state=TrialState[judged.state],
        values=judged.values,
        params=dict(failed.params),
        distributions=dict(failed.distributions),
        user_attrs={attributes.OWNER: failed.user_attrs.get(attributes.OWNER, ""), **judged.attrs},
        system_attrs={attributes.CONSTRAINTS: missed} if missed else {},
    )


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
