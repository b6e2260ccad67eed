"""A study: which points are asked for, what came of them, and which are the best.

The only module that imports Optuna, so it is imported late. Everything a study knows stands in
its storage: a process that is killed loses nothing, and several may share one study.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import optuna
from filelock import FileLock, Timeout
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from segrun.errors import ConfigError, StoreError
from segrun.nearest import did_you_mean
from segrun.sweep.space.dimension import Dimension
from segrun.sweep.space.space import Space

_T = TypeVar("_T")


@dataclass(frozen=True)
class Score:
    """What is known of a score.

    Attributes
    ----------
    direction : {"maximize", "minimize"} or None
        The direction in which it is better; None: either may be wanted.
    worst : float or None
        Told where a result is degenerate (one cluster, all noise) and has no such score, so
        that the optimiser learns to stay away; None: such a trial fails.
    """

    direction: str | None
    worst: float | None


#: Scores that can be an objective or have limits.
SCORES: Mapping[str, Score] = {
    "silhouette": Score("maximize", -1.0),
    "davies_bouldin": Score("minimize", math.inf),
    "calinski_harabasz": Score("maximize", 0.0),
    "coverage": Score("maximize", 0.0),
    "noise_share": Score("minimize", 1.0),
    "smallest_share": Score("maximize", 0.0),
    "largest_share": Score("minimize", 1.0),
    "n_clusters": Score(None, 0.0),
    "fit_seconds": Score("minimize", None),
    "wall_seconds": Score("minimize", None),
    "inertia": Score("minimize", None),
}

DIRECTIONS = ("maximize", "minimize")
SAMPLERS = ("tpe", "random", "grid", "nsgaii")
_CLASSES: Mapping[str, type[BaseSampler]] = {
    "tpe": TPESampler,
    "random": RandomSampler,
    "nsgaii": NSGAIISampler,
}
#: Parameters of Optuna's samplers that are set here.
_OURS = {"self", "seed", "constraints_func"}

#: By how much a limit is missed where the score is unknown: more than any score can.
_UNKNOWN = 1e9

#: Study attribute with what a study was created for.
_ABOUT = "segrun"
_OWNER, _SCORES, _DEGENERATE, _RETRY_OF = "owner", "scores", "degenerate", "retry_of"
_CONSTRAINTS = "constraints"  # where Optuna's samplers look

#: Seconds that SQLite waits for another process, that the lock is waited for, between two looks
#: at it, and between tries.
_SQLITE_TIMEOUT = 60
_LOCK_TIMEOUT = 600
_POLL = 0.005
_PAUSES = (0.1, 0.3, 1.0)
_ERRORS = (SQLAlchemyError, StorageInternalError, OSError)


@dataclass(frozen=True)
class Objective:
    """A score to optimise, and ``maximize`` or ``minimize``."""

    name: str
    direction: str


@dataclass(frozen=True)
class Settings:
    """What makes a study.

    Attributes
    ----------
    storage : str
        A storage URL of Optuna.
    name : str
        The study's name in it.
    objectives : tuple of Objective
        At least one.
    limits : mapping
        ``min`` and ``max`` by score.
    sampler : {"tpe", "random", "grid", "nsgaii"}
        Who draws.
    sampler_params : mapping
        Parameters of Optuna's sampler of that name.
    seed : int
        A point depends on it, on the trial's number and on the trials told before.
    fixed : mapping
        Digests of what all trials have in common: scores of other data or settings are no match.
    """

    storage: str
    name: str
    objectives: tuple[Objective, ...]
    limits: Mapping[str, Mapping[str, float | None]]
    sampler: str
    sampler_params: Mapping[str, Any]
    seed: int
    fixed: Mapping[str, Any] = field(default_factory=dict)


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


class Study:
    """A study of Optuna on a space, made by `open`."""

    def __init__(self, settings: Settings, space: Space) -> None:
        self.settings = settings
        self.space = space
        self._grid = _Grid(space) if settings.sampler == "grid" else None
        self._sampler = self._grid or _Seeded(settings)
        self._lock = _lock(settings.storage)
        self._trials: dict[int, optuna.Trial] = {}
        self._study = self._patiently("opened", self._opened)

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
        _check(settings)
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
            with self._exclusive():
                trial = self._next(n_trials)
                return None if trial is None else self._drawn(trial, owner)

        return self._patiently("asked", work)

    def resume_running(self, owner: str) -> list[Ask]:
        """Return the trials that a killed process of this owner has left running."""

        def work() -> list[Ask]:
            return [
                self._drawn(self._reopened(trial), owner)
                for trial in self._all()
                if trial.state == TrialState.RUNNING and trial.user_attrs.get(_OWNER) == owner
            ]

        return self._patiently("resumed", work)

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
        judged = _Judged.of(scores, self.settings, attrs)

        def work() -> None:
            # Not needed, but SQLite is slow where two write at once.
            with self._exclusive():
                trial = self._running(number)
                for key, value in judged.attrs.items():
                    trial.set_user_attr(key, value)
                self._study.tell(number, judged.values, judged.state)
                self._trials.pop(number, None)

        self._patiently("told", work)

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
        judged = _Judged.of(scores, self.settings, {**attrs, _RETRY_OF: number})

        def work() -> None:
            with self._exclusive():
                trials = self._all()
                failed = self._numbered(number, trials)
                if failed.state != TrialState.FAIL:
                    raise StoreError(self._says(number, failed.state.name, "only a failed one"))
                if not any(_succeeded(trial, number) for trial in trials):
                    self._study.add_trial(self._again(failed, judged))

        self._patiently("told", work)

    def best(self) -> list[Found]:
        """Return the best trials within the limits.

        One objective has one, the first of equals; several have the Pareto front, by number.
        Degenerate results are never among them.
        """
        candidates = [trial for trial in self._finished() if self._eligible(trial)]
        losses = {trial.number: self._losses(trial) for trial in candidates}
        front = _front(losses)
        if len(self.settings.objectives) == 1:
            front = front[:1]
        return [self._found(trial) for trial in candidates if trial.number in front]

    def trials(self) -> list[Found]:
        """Return all trials by number."""
        return [self._found(trial) for trial in self._patiently("read", self._all)]

    def _opened(self) -> optuna.Study:
        with self._exclusive():
            study = optuna.create_study(
                storage=_storage(self.settings.storage),
                study_name=self.settings.name,
                directions=self._directions(),
                sampler=self._sampler,
                load_if_exists=True,
            )
            self._claim(study)
        return study

    def _claim(self, study: optuna.Study) -> None:
        """Write down what the study is for, or compare."""
        about = _about(self.settings, self.space)
        before = study.user_attrs.get(_ABOUT)
        other = study.directions != self._directions()
        if before is None and (other or study.get_trials(deepcopy=False)):
            raise ConfigError(
                f"the study {self.settings.name!r} in {_url(self.settings.storage)} was not made "
                f"by segrun: {_OTHER_NAME}"
            )
        if before is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                study.set_metric_names([objective.name for objective in self.settings.objectives])
            study.set_user_attr(_ABOUT, about)
        elif before != about:
            raise ConfigError(_another(self.settings, before, about))

    def _directions(self) -> list[StudyDirection]:
        return [StudyDirection[goal.direction.upper()] for goal in self.settings.objectives]

    def _exclusive(self) -> AbstractContextManager[Any]:
        if self._lock is None:
            return nullcontext()
        return self._lock.acquire(poll_interval=_POLL)

    def _patiently(self, done: str, work: Callable[[], _T]) -> _T:
        """Do some work on the storage, again where it is locked for longer than it waits."""
        for pause in (*_PAUSES, None):
            try:
                return work()
            except _ERRORS as error:
                waited = isinstance(error, Timeout)
                locked = waited or any("locked" in str(cause) for cause in _causes(error))
                if not locked or waited or pause is None:
                    raise StoreError(self._trouble(done, error, locked=locked)) from error
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _trouble(self, done: str, error: BaseException, *, locked: bool) -> str:
        first = str(list(_causes(error))[-1]).strip().splitlines() or [type(error).__name__]
        cure = (
            "another program holds it: end that, then go on with segrun resume"
            if locked
            else "name a database that can be written to and whose folder exists, "
            "hydra.sweeper.storage=sqlite:///PATH"
        )
        return (
            f"the study {self.settings.name!r} in {_url(self.settings.storage)} cannot be {done} "
            f"({first[0]}): {cure}"
        )

    def _all(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _finished(self) -> list[FrozenTrial]:
        trials = self._patiently("read", self._all)
        return [trial for trial in trials if trial.state == TrialState.COMPLETE]

    def _next(self, n_trials: int | None) -> optuna.Trial | None:
        trials = self._all()
        if self._lock is not None:
            # Nobody else is in here, so who has begun a trial without an owner is dead.
            for trial in trials:
                if trial.state == TrialState.RUNNING and _OWNER not in trial.user_attrs:
                    return self._reopened(trial)
        n_asked = sum(_RETRY_OF not in trial.user_attrs for trial in trials)
        enough = n_trials is not None and n_asked >= n_trials
        if self._grid is not None:
            enough = enough or n_asked >= len(self._grid.points)
        if enough and not any(trial.state == TrialState.WAITING for trial in trials):
            return None
        return self._study.ask()

    def _reopened(self, trial: FrozenTrial) -> optuna.Trial:
        return optuna.Trial(self._study, trial._trial_id)

    def _drawn(self, trial: optuna.Trial, owner: str) -> Ask:
        """Draw what the trial lacks; values that it has stay."""
        choices = {
            group: trial.suggest_categorical(group, options)
            for group, options in self.space.groups.items()
        }
        base = self.space.base(choices)
        names = self.space.names(base)
        for key, dimension in base.dimensions.items():
            _suggest(trial, names[key], dimension)
        if trial.user_attrs.get(_OWNER) != owner:
            trial.set_user_attr(_OWNER, owner)
        self._trials[trial.number] = trial
        choices, values = self._placed(trial.params)
        return Ask(trial.number, choices, values, trial.params)

    def _placed(self, params: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return choices and values by full key; both empty where not all is drawn."""
        if any(group not in params for group in self.space.groups):
            return {}, {}
        choices = {group: params[group] for group in self.space.groups}
        base = self.space.base(choices)
        names = self.space.names(base)
        if any(name not in params for name in names.values()):
            return {}, {}
        values = {key: found.exact(params[names[key]]) for key, found in base.dimensions.items()}
        return choices, values

    def _found(self, trial: FrozenTrial) -> Found:
        choices, drawn = self._placed(trial.params)
        return Found(
            number=trial.number,
            job=trial.user_attrs.get(_RETRY_OF, trial.number),
            state=trial.state.name,
            values=tuple(trial.values or ()),
            choices=choices,
            drawn=drawn,
            params=dict(trial.params),
            attrs=dict(trial.user_attrs),
        )

    def _numbered(self, number: int, trials: Sequence[FrozenTrial]) -> FrozenTrial:
        if not 0 <= number < len(trials):
            raise StoreError(
                f"the study {self.settings.name!r} in {_url(self.settings.storage)} has no trial "
                f"{number}: is it the study that asked for it?"
            )
        return trials[number]

    def _running(self, number: int) -> optuna.Trial:
        trial = self._numbered(number, self._all())
        if trial.state != TrialState.RUNNING:
            raise StoreError(self._says(number, trial.state.name, "only a running one"))
        return self._trials.get(number) or self._reopened(trial)

    def _says(self, number: int, state: str, which: str) -> str:
        return (
            f"trial {number} of the study {self.settings.name!r} in "
            f"{_url(self.settings.storage)} is {state}: {which} can be told about. Does another "
            "process conduct the same sweep?"
        )

    def _again(self, failed: FrozenTrial, judged: _Judged) -> FrozenTrial:
        scores = judged.attrs.get(_SCORES, {})
        complete = judged.state == TrialState.COMPLETE
        violations = _violations(scores, self.settings.limits) if complete else []
        return optuna.trial.create_trial(
            state=judged.state,
            values=judged.values,
            params=dict(failed.params),
            distributions=dict(failed.distributions),
            user_attrs={_OWNER: failed.user_attrs.get(_OWNER, ""), **judged.attrs},
            system_attrs={_CONSTRAINTS: violations} if violations else {},
        )

    def _eligible(self, trial: FrozenTrial) -> bool:
        scores = trial.user_attrs.get(_SCORES, {})
        return _DEGENERATE not in trial.user_attrs and not any(
            violation > 0 for violation in _violations(scores, self.settings.limits)
        )

    def _losses(self, trial: FrozenTrial) -> tuple[float, ...]:
        return tuple(
            -value if objective.direction == "maximize" else value
            for objective, value in zip(self.settings.objectives, trial.values, strict=True)
        )


@dataclass(frozen=True)
class _Judged:
    """What the optimiser is told."""

    state: TrialState
    values: list[float] | None
    attrs: dict[str, Any]

    @classmethod
    def of(
        cls,
        scores: Mapping[str, float | None] | None,
        settings: Settings,
        attrs: Mapping[str, Any],
    ) -> _Judged:
        told = {key: value for key, value in attrs.items() if value not in (None, "")}
        if scores is None:
            return cls(TrialState.FAIL, None, {"reason": "the job failed", **told})
        known = _known(scores)
        told[_SCORES] = known
        names = [objective.name for objective in settings.objectives]
        missing = [name for name in names if known.get(name) is None]
        if missing:
            told[_DEGENERATE] = missing
        values = [
            _worst(objective) if objective.name in missing else float(known[objective.name])
            for objective in settings.objectives
        ]
        numbers = [value for value in values if value is not None]
        if len(numbers) < len(values):
            name = names[values.index(None)]
            reason = f"{name} is undefined, and an optimiser cannot be told of a worst one"
            return cls(TrialState.FAIL, None, {"reason": reason, **told})
        return cls(TrialState.COMPLETE, numbers, told)


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


def _worst(objective: Objective) -> float | None:
    score = SCORES[objective.name]
    # No clusters are the fewest: whoever wants few of them is not told so.
    unlike = score.direction is None and objective.direction == "minimize"
    return None if unlike else score.worst


def _violations(
    scores: Mapping[str, float | None], limits: Mapping[str, Mapping[str, float | None]]
) -> list[float]:
    """Return by how much each limit is missed; zero or less is within."""
    found = []
    for name, bounds in limits.items():
        value = scores.get(name)
        for side, bound in bounds.items():
            if bound is not None:
                missed = 0 if value is None else bound - value if side == "min" else value - bound
                found.append(_UNKNOWN if value is None else float(missed))
    return found


def _front(losses: Mapping[int, tuple[float, ...]]) -> list[int]:
    """Return who is not dominated: nobody is as good everywhere and better somewhere."""
    front: list[int] = []
    # Whoever dominates comes earlier in this order.
    for number in sorted(losses, key=lambda number: (losses[number], number)):
        mine = losses[number]
        if not any(_dominates(losses[other], mine) for other in front):
            front.append(number)
    return front


def _dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def _succeeded(trial: FrozenTrial, number: int) -> bool:
    return trial.state == TrialState.COMPLETE and trial.user_attrs.get(_RETRY_OF) == number


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


class _Seeded(BaseSampler):
    """A sampler of Optuna that draws a trial alike in any process.

    Every draw has a generator of its own, of seed, trial and parameter, so that neither who
    drew before matters nor that half of a trial was drawn when a process was killed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._relative = self._made(0, "")

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._made(trial.number, "").before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        self._relative = self._made(trial.number, "")
        return self._relative.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._relative.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        sampler = self._made(trial.number, param_name)
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        self._made(trial.number, "").after_trial(study, trial, state, values)

    def _made(self, number: int, name: str) -> BaseSampler:
        settings = self._settings
        text = json.dumps([settings.seed, number, name])
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        params = {**settings.sampler_params, "seed": seed}
        if settings.limits and settings.sampler in ("tpe", "nsgaii"):
            params["constraints_func"] = self._constraints
        with warnings.catch_warnings():
            # constraints_func is experimental in one version and deprecated in the next.
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.filterwarnings("ignore", ".*constraints_func", FutureWarning)
            return _CLASSES[settings.sampler](**params)

    def _constraints(self, trial: FrozenTrial) -> list[float]:
        return _violations(trial.user_attrs.get(_SCORES, {}), self._settings.limits)


class _Grid(BaseSampler):
    """Every trial has its point by its number: nothing is queued, so nothing is lost."""

    def __init__(self, space: Space) -> None:
        self.points = list(space.grid())
        self._point: dict[str, Any] = {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        # A retry has a number, but no point of its own.
        earlier = study.get_trials(deepcopy=False)[: trial.number]
        index = trial.number - sum(_RETRY_OF in other.user_attrs for other in earlier)
        # Beyond the end are only trials that another process has asked for at the same time.
        self._point = self.points[index % len(self.points)]

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        search_space: dict[str, BaseDistribution],  # noqa: ARG002
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> Any:
        return self._point[param_name]


def _check(settings: Settings) -> None:
    _check_objectives(settings.objectives)
    for name, bounds in settings.limits.items():
        _check_limits(name, bounds)
    _check_sampler(settings)


def _check_objectives(objectives: Sequence[Objective]) -> None:
    key = "hydra.sweeper.objectives"
    if not objectives:
        raise ConfigError(f"{key} is empty: give at least one, {{silhouette: maximize}}")
    for position, objective in enumerate(objectives):
        name, direction = objective.name, objective.direction
        _check_score(key, name)
        if name in [earlier.name for earlier in objectives[:position]]:
            raise ConfigError(f"{key} has {name} twice: give each once")
        if direction not in DIRECTIONS:
            raise ConfigError(
                f"{key}.{name} is {direction!r}.{did_you_mean(str(direction), DIRECTIONS)} "
                "It is maximize or minimize"
            )
        if SCORES[name].direction not in (None, direction):
            raise ConfigError(
                f"{key}.{name} is {direction}, but the worst of it would be found: "
                f"{SCORES[name].direction} it"
            )


def _check_score(key: str, name: str) -> None:
    if name not in SCORES:
        raise ConfigError(
            f"{key} has {name!r}, which is no score.{did_you_mean(name, SCORES)} "
            f"Scores: {', '.join(SCORES)}"
        )


def _check_limits(name: str, bounds: Any) -> None:
    key = f"hydra.sweeper.limits.{name}"
    _check_score("hydra.sweeper.limits", name)
    if not isinstance(bounds, Mapping) or set(bounds) - {"min", "max"}:
        raise ConfigError(f"{key} is {bounds!r}: give {{min: NUMBER}}, {{max: NUMBER}} or both")
    for side, bound in bounds.items():
        number = isinstance(bound, int | float) and not isinstance(bound, bool)
        if bound is not None and not (number and math.isfinite(bound)):
            raise ConfigError(f"{key}.{side} is {bound!r}: give a finite number")
    low, high = bounds.get("min"), bounds.get("max")
    if low is not None and high is not None and low > high:
        raise ConfigError(f"{key} has min {low} above max {high}: nothing is within")


def _check_sampler(settings: Settings) -> None:
    name, given = settings.sampler, settings.sampler_params
    if name not in SAMPLERS:
        raise ConfigError(
            f"hydra.sweeper.sampler is {name!r}.{did_you_mean(str(name), SAMPLERS)} "
            f"Samplers: {', '.join(SAMPLERS)}"
        )
    known: list[str] = []
    if name in _CLASSES:
        known = [p for p in inspect.signature(_CLASSES[name]).parameters if p not in _OURS]
    for param in given:
        if param not in known:
            raise ConfigError(
                f"hydra.sweeper.sampler_params has {param!r}, but the sampler {name} has no such "
                f"parameter.{did_you_mean(str(param), known)} "
                f"Parameters: {', '.join(known) or 'none'}"
            )
    if name in _CLASSES:
        try:
            _Seeded(settings)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"hydra.sweeper.sampler_params {dict(given)}: {error}") from error


def _about(settings: Settings, space: Space) -> dict[str, Any]:
    about = {
        "space": space.signature(),
        "fixed": dict(settings.fixed),
        "objectives": [[goal.name, goal.direction] for goal in settings.objectives],
        "limits": {name: dict(bounds) for name, bounds in settings.limits.items()},
        # A grid counts its points by the trials, so no other sampler may have drawn some.
        "sampler": "grid" if settings.sampler == "grid" else "tpe, random or nsgaii",
    }
    # As it comes back from the storage.
    return dict(json.loads(json.dumps(about)))


_OTHER_NAME = "give this search a name of its own, hydra.sweeper.study_name=NAME"


def _another(settings: Settings, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    what = "searches another space"
    if before.get("space") == now["space"]:
        what = "has other settings"
    found = list(_differences("", before, now))
    rest = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return (
        f"the study {settings.name!r} in {_url(settings.storage)} {what}: "
        f"{'; '.join(found[:3])}{rest}. Search the same, or {_OTHER_NAME}"
    )


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    """Yield what differs, the dimensions before the bases that have them."""
    if before == now:
        return
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        yield f"{key} is {_text(before)} there and {_text(now)} here"
        return
    for name in dict.fromkeys([*now, *before]):
        yield from _differences(_under(key, name), before.get(name), now.get(name))


def _under(key: str, name: str) -> str:
    # Names of dimensions speak for themselves.
    return name if key in ("", "space", "space.dimensions") else f"{key}.{name}"


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _url(storage: str) -> str:
    """Return a URL without its password."""
    try:
        return make_url(storage).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return storage


def _file(storage: str) -> Path | None:
    """Return the file of an SQLite URL; None of memory and of other databases."""
    try:
        url = make_url(storage)
    except SQLAlchemyError:
        return None
    name = (url.database or "").removeprefix("file:")
    if url.get_backend_name() != "sqlite" or not name or ":memory:" in name:
        return None
    return Path(name).absolute()


def _lock(storage: str) -> FileLock | None:
    path = _file(storage)
    if path is None:
        return None
    return FileLock(path.with_name(f"{path.name}.lock"), timeout=_LOCK_TIMEOUT)


def _storage(storage: str) -> optuna.storages.RDBStorage:
    options: dict[str, Any] = {}
    if _file(storage) is not None:
        # A connection per step: none is left open, nor carried into a forked process.
        options["poolclass"] = NullPool
        if "timeout" not in make_url(storage).query:
            options["connect_args"] = {"timeout": _SQLITE_TIMEOUT}
    try:
        return optuna.storages.RDBStorage(storage, engine_kwargs=options)
    except (ImportError, RuntimeError) as error:
        # A driver that is not installed, or tables of another version of Optuna.
        raise StoreError(f"the storage {_url(storage)} cannot be opened: {error}") from error
