"""The study itself: points are asked for, results told, the best returned."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from segrun.algorithms.space.space import Space
from segrun.errors import ConfigError, StoreError
from segrun.sweep.study.sampler import check_sampler, sampler_of
from segrun.sweep.study.settings import Settings, check_settings, difference, purpose, violations
from segrun.sweep.study.storage import Storage
from segrun.sweep.study.trial import (
    MATRIX,
    OWNER,
    RETRY_OF,
    SCORES,
    OpenTrial,
    StoredTrial,
    drawn,
    eligible,
    front,
    judged,
    losses,
)

#: Attribute of a study: what it was created for.
_ABOUT = "segrun"
_OTHER_NAME = "give this search a name of its own, hydra.sweeper.study_name=NAME"


class Study:
    """A study of Optuna on a space: created, or loaded where the storage has the same one."""

    def __init__(self, settings: Settings, space: Space) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        check_settings(settings)
        check_sampler(settings)
        self.settings, self.space = settings, space
        sampler = sampler_of(settings, space)
        self._n_points = space.n_points if settings.sampler == "grid" else math.inf
        self._storage = Storage(settings.storage, settings.name)
        self._trials: dict[int, optuna.Trial] = {}
        directions = [StudyDirection[goal.direction.upper()] for goal in settings.objectives]
        with self._storage.exclusive("opened"):
            self._study = optuna.create_study(
                storage=self._storage.opened(),
                study_name=settings.name,
                directions=directions,
                sampler=sampler,
                load_if_exists=True,
            )
            self._claim(directions)

    def _claim(self, directions: Sequence[StudyDirection]) -> None:
        """Write down what the study is for, or compare."""
        about = purpose(self.settings, self.space)
        before = self._study.user_attrs.get(_ABOUT)
        if before is None:
            if self._study.directions != directions or self._all():
                raise ConfigError(f"{self._storage.shown} was not made by segrun: {_OTHER_NAME}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._study.set_metric_names([goal.name for goal in self.settings.objectives])
            self._study.set_user_attr(_ABOUT, about)
        elif before != about:
            what = difference(before, about)
            raise ConfigError(f"{self._storage.shown} {what}. Search the same, or {_OTHER_NAME}")

    def ask(self, n_trials: int | None, owner: str) -> OpenTrial | None:
        """Draw a point, or return None where the study has enough trials.

        Whatever has been asked for counts: finished, failed, running and waiting trials, but
        not a retry again. On a file of SQLite several processes never ask for more than
        `n_trials` together; on another storage they may by one each.
        """
        with self._storage.exclusive("asked"):
            trial = self._next(n_trials)
            return None if trial is None else self._drawn(trial, owner)

    def _next(self, n_trials: int | None) -> optuna.Trial | None:
        trials = self._all()
        if self._storage.is_locked:
            # Nobody else is in here, so who has begun a trial without an owner is dead.
            for trial in trials:
                if trial.state == TrialState.RUNNING and OWNER not in trial.user_attrs:
                    return self._reopened(trial)
        n_asked = sum(RETRY_OF not in trial.user_attrs for trial in trials)
        enough = n_asked >= min(self._n_points, math.inf if n_trials is None else n_trials)
        if enough and not any(trial.state == TrialState.WAITING for trial in trials):
            return None
        return self._study.ask()

    def resume_running(self, owner: str) -> list[OpenTrial]:
        """Return the trials that a killed process of this owner has left running.

        Not by Optuna's heartbeat: that is for ``optimize``, waits until a trial is old enough to
        count as dead, and makes another trial of it. Who has the sweep's lock knows.
        """
        with self._storage.exclusive("resumed"):
            return [
                self._drawn(self._reopened(trial), owner)
                for trial in self._all()
                if trial.state == TrialState.RUNNING and trial.user_attrs.get(OWNER) == owner
            ]

    def tell(
        self, number: int, scores: Mapping[str, float | None] | None, attrs: Mapping[str, Any]
    ) -> None:
        """Write down what came of a trial, with user attributes that JSON can hold.

        Where a score is undefined the objective gets its worst value, and the trial is never among
        the best. No scores at all: the job has failed. What a failed trial's job comes to after
        all is added as another trial, with ``retry_of``.
        """
        values, told = judged(scores, self.settings, attrs)
        with self._storage.exclusive("told"):
            trials = self._all()
            if not 0 <= number < len(trials):
                raise StoreError(
                    f"{self._storage.shown} has no trial {number}: is it the study that asked "
                    "for it?"
                )
            state = trials[number].state
            if state == TrialState.FAIL:
                if values and not any(_succeeded(trial, number) for trial in trials):
                    self._study.add_trial(self._retried(trials[number], values, told))
            elif state == TrialState.RUNNING:
                trial = self._trials.pop(number, None) or self._reopened(trials[number])
                for key, value in told.items():
                    trial.set_user_attr(key, value)
                self._study.tell(number, values, None if values else TrialState.FAIL)
            else:
                raise StoreError(
                    f"trial {number} of {self._storage.shown} is {state.name}: only a running or "
                    "failed one can be told about. Does another process conduct the same sweep?"
                )

    def best(self) -> list[StoredTrial]:
        """Return the best trials within the limits, of each matrix for itself.

        One objective has one, the first of equals; several have the Pareto front, by number.
        Degenerate results are never among them; scores of two matrices are not compared.
        """
        settings = self.settings
        candidates: dict[str, dict[int, FrozenTrial]] = {}
        with self._storage.exclusive("read"):
            trials = self._all()
        for trial in trials:
            if trial.state == TrialState.COMPLETE and eligible(trial.user_attrs, settings.limits):
                candidates.setdefault(trial.user_attrs.get(MATRIX, ""), {})[trial.number] = trial
        best: list[FrozenTrial] = []
        for group in candidates.values():
            found = front({n: losses(settings.objectives, t.values) for n, t in group.items()})
            best += [group[n] for n in (found[:1] if len(settings.objectives) == 1 else found)]
        return [StoredTrial.of(t, self.space) for t in sorted(best, key=lambda trial: trial.number)]

    def trials(self) -> list[StoredTrial]:
        """Return all trials by number."""
        with self._storage.exclusive("read"):
            return [StoredTrial.of(trial, self.space) for trial in self._all()]

    def _all(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _reopened(self, trial: FrozenTrial) -> optuna.Trial:
        return optuna.Trial(self._study, trial._trial_id)

    def _drawn(self, trial: optuna.Trial, owner: str) -> OpenTrial:
        ask = drawn(trial, self.space)
        if trial.user_attrs.get(OWNER) != owner:
            trial.set_user_attr(OWNER, owner)
        self._trials[trial.number] = trial
        return ask

    def _retried(
        self, failed: FrozenTrial, values: Sequence[float], attrs: Mapping[str, Any]
    ) -> FrozenTrial:
        owner = failed.user_attrs.get(OWNER, "")
        missed = violations(attrs[SCORES], self.settings.limits)
        return optuna.trial.create_trial(
            values=values,
            params=dict(failed.params),
            distributions=dict(failed.distributions),
            user_attrs={OWNER: owner, **attrs, RETRY_OF: failed.number},
            # Where Optuna's samplers look for missed limits.
            system_attrs={"constraints": missed} if missed else {},
        )


def _succeeded(trial: FrozenTrial, number: int) -> bool:
    retry_of = trial.user_attrs.get(RETRY_OF)
    return trial.state == TrialState.COMPLETE and retry_of == number
