"""Samplers: who draws the points of a study."""

from __future__ import annotations

import hashlib
import inspect
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from segrun.algorithms.space.space import Space
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.sweep.study.settings import Settings, violations
from segrun.sweep.study.trial import RETRY_OF, SCORES

SAMPLERS = ("tpe", "random", "grid", "nsgaii")
_CLASSES: Mapping[str, type[BaseSampler]] = {
    "tpe": TPESampler,
    "random": RandomSampler,
    "nsgaii": NSGAIISampler,
}
#: Parameters of Optuna's samplers that are set here.
_OURS = {"self", "seed", "constraints_func"}


def sampler_of(settings: Settings, space: Space) -> BaseSampler:
    """Return the sampler of a study; a grid is refused where the space has none."""
    return _Grid(space) if settings.sampler == "grid" else _Seeded(settings)


def check_sampler(settings: Settings) -> None:
    """Refuse a sampler that does not exist, or parameters that it does not take."""
    name, given = settings.sampler, settings.sampler_params
    if name not in SAMPLERS:
        raise ConfigError(
            f"hydra.sweeper.sampler is {name!r}.{did_you_mean(str(name), SAMPLERS)} "
            f"Samplers: {', '.join(SAMPLERS)}"
        )
    _check_names(name, given)
    if name in _CLASSES:
        try:
            _Seeded(settings)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"hydra.sweeper.sampler_params {dict(given)}: {error}") from error


def _check_names(name: str, given: Mapping[str, Any]) -> None:
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
        return violations(trial.user_attrs.get(SCORES, {}), self._settings.limits)


class _Grid(RandomSampler):
    """Every trial has its point by its number: nothing is queued, so nothing is lost."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._points = list(space.grid())
        self._point: dict[str, Any] = {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        # A retry has a number, but no point of its own.
        earlier = study.get_trials(deepcopy=False)[: trial.number]
        index = trial.number - sum(RETRY_OF in other.user_attrs for other in earlier)
        # Beyond the end are only trials that another process has asked for at the same time.
        self._point = self._points[index % len(self._points)]

    def sample_independent(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> Any:
        return self._point[param_name]
