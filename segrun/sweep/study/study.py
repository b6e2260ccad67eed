"""The study itself: points are asked for, results told, the best returned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from segrun.algorithms.space.space import Space
from segrun.errors import StoreError
from segrun.sweep.study import attributes
from segrun.sweep.study.front import front, losses
from segrun.sweep.study.judged import Judged, eligible
from segrun.sweep.study.limits import check_limits
from segrun.sweep.study.objective import check_objectives
from segrun.sweep.study.opening import opened
from segrun.sweep.study.sampler import check_sampler, sampler_of
from segrun.sweep.study.settings import Settings
from segrun.sweep.study.storage import Storage
from segrun.sweep.study.trial import Ask, Found, drawn, retried


class Study:
    """A study of Optuna on a space, made by `open`."""

    def __init__(self, settings: Settings, space: Space) -> None:
        self.settings = settings
        self.space = space
        sampler = sampler_of(settings, space)
        self._n_points = space.n_points if settings.sampler == "grid" else math.inf
        self._storage = Storage(settings.storage, settings.name)
        self._trials: dict[int, optuna.Trial] = {}
        self._study = self._storage.patiently(
            "opened", lambda: opened(self._storage, settings, space, sampler)
        )

    @classmethod
    def open(cls, settings: Settings, space: Space) -> Study:
        """Create a study, or load it where the storage has it.

        Parameters
        ----------
        settings : Settings
            Where it is and what for.
        space : Space
            What it searches.

        Raises
        ------
        ConfigError
            If a setting is wrong, or the study there is another one.
        StoreError
            If the storage cannot be opened.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        check_objectives(settings.objectives)
        check_limits(settings.limits)
        check_sampler(settings)
        return cls(settings, space)

    def ask(self, n_trials: int | None, owner: str) -> Ask | None:
        """Draw a point, or return None where there are enough trials.

        Whatever has been asked for counts: finished, failed, running and waiting trials, but
        not a retry again. On a file of SQLite several processes never ask for more than
        `n_trials` together; on another storage they may by one each.

        Parameters
        ----------
        n_trials : int or None
            Trials of the study altogether; None: no end, but a grid has one.
        owner : str
            Who asks: what `resume_running` will be given.
        """

        def work() -> Ask | None:
            with self._storage.exclusive():
                trial = self._next(n_trials)
                return None if trial is None else self._drawn(trial, owner)

        return self._storage.patiently("asked", work)

    def resume_running(self, owner: str) -> list[Ask]:
        """Return the trials that a killed process of this owner has left running."""

        def work() -> list[Ask]:
            return [
                self._drawn(self._reopened(trial), owner)
                for trial in self._all()
                if trial.state == TrialState.RUNNING
                and trial.user_attrs.get(attributes.OWNER) == owner
            ]

        return self._storage.patiently("resumed", work)

    def tell(
        self, number: int, scores: Mapping[str, float | None] | None, attrs: Mapping[str, Any]
    ) -> None:
        """Write down what came of a trial.

        Parameters
        ----------
        number : int
            Of the trial.
        scores : mapping of str to float, or None
            None where a score is undefined: the objective gets its worst value, and the trial
            is never among the best. No mapping at all: the job has failed.
        attrs : mapping of str to object
            User attributes of the trial, as JSON can hold them; ``reason`` says why it failed.

        Raises
        ------
        StoreError
            If no such trial is running.
        """
        judged = Judged.of(scores, self.settings, attrs)

        def work() -> None:
            # Not needed, but SQLite is slow where two write at once.
            with self._storage.exclusive():
                trial = self._running(number)
                for key, value in judged.attrs.items():
                    trial.set_user_attr(key, value)
                self._study.tell(number, judged.values, TrialState[judged.state])
                self._trials.pop(number, None)

        self._storage.patiently("told", work)

    def retry(
        self, number: int, scores: Mapping[str, float | None], attrs: Mapping[str, Any]
    ) -> None:
        """Add what came of a failed trial's job after all, as a trial with ``retry_of``.

        Parameters
        ----------
        number : int
            Of the trial that failed, which stays so.
        scores, attrs : mapping
            As of `tell`.

        Raises
        ------
        StoreError
            If no such trial has failed.
        """
        judged = Judged.of(scores, self.settings, {**attrs, attributes.RETRY_OF: number})

        def work() -> None:
            with self._storage.exclusive():
                trials = self._all()
                failed = self._numbered(number, trials)
                if failed.state != TrialState.FAIL:
                    raise StoreError(self._says(number, failed.state.name, "only a failed one"))
                if not any(_succeeded(trial, number) for trial in trials):
                    limits = self.settings.limits
                    self._study.add_trial(retried(failed, judged, limits))

        self._storage.patiently("told", work)

    def best(self) -> list[Found]:
        """Return the best trials within the limits, of each matrix for itself.

        One objective has one, the first of equals; several have the Pareto front, by number.
        Degenerate results are never among them; scores of two matrices are not compared.
        """
        settings = self.settings
        candidates: dict[str, dict[int, FrozenTrial]] = {}
        for trial in self._storage.patiently("read", self._all):
            if trial.state == TrialState.COMPLETE and eligible(trial.user_attrs, settings.limits):
                matrix = trial.user_attrs.get(attributes.MATRIX, "")
                candidates.setdefault(matrix, {})[trial.number] = trial
        best: list[FrozenTrial] = []
        for trials in candidates.values():
            found = front({n: losses(settings.objectives, t.values) for n, t in trials.items()})
            best += [trials[n] for n in (found[:1] if len(settings.objectives) == 1 else found)]
        return [Found.of(t, self.space) for t in sorted(best, key=lambda trial: trial.number)]

    def trials(self) -> list[Found]:
        """Return all trials by number."""
        return [Found.of(trial, self.space) for trial in self._storage.patiently("read", self._all)]

    def _all(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _next(self, n_trials: int | None) -> optuna.Trial | None:
        trials = self._all()
        if self._storage.is_locked:
            # Nobody else is in here, so who has begun a trial without an owner is dead.
            for trial in trials:
                if trial.state == TrialState.RUNNING and attributes.OWNER not in trial.user_attrs:
                    return self._reopened(trial)
        n_asked = sum(attributes.RETRY_OF not in trial.user_attrs for trial in trials)
        enough = n_asked >= min(self._n_points, math.inf if n_trials is None else n_trials)
        if enough and not any(trial.state == TrialState.WAITING for trial in trials):
            return None
        return self._study.ask()

    def _reopened(self, trial: FrozenTrial) -> optuna.Trial:
        return optuna.Trial(self._study, trial._trial_id)

    def _drawn(self, trial: optuna.Trial, owner: str) -> Ask:
        ask = drawn(trial, self.space)
        if trial.user_attrs.get(attributes.OWNER) != owner:
            trial.set_user_attr(attributes.OWNER, owner)
        self._trials[trial.number] = trial
        return ask

    def _numbered(self, number: int, trials: Sequence[FrozenTrial]) -> FrozenTrial:
        if not 0 <= number < len(trials):
            raise StoreError(
                f"{self._storage.shown} has no trial {number}: is it the study that asked for it?"
            )
        return trials[number]

    def _running(self, number: int) -> optuna.Trial:
        trial = self._numbered(number, self._all())
        if trial.state != TrialState.RUNNING:
            raise StoreError(self._says(number, trial.state.name, "only a running one"))
        return self._trials.get(number) or self._reopened(trial)

    def _says(self, number: int, state: str, which: str) -> str:
        return (
            f"trial {number} of {self._storage.shown} is {state}: {which} can be told about. Does "
            "another process conduct the same sweep?"
        )


def _succeeded(trial: FrozenTrial, number: int) -> bool:
    retry_of = trial.user_attrs.get(attributes.RETRY_OF)
    return trial.state == TrialState.COMPLETE and retry_of == number
