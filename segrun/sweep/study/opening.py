"""Opening a study: it is created, or loaded where the storage has it and it is the same one."""

from __future__ import annotations

import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection

from segrun.algorithms.space.space import Space
from segrun.errors import ConfigError
from segrun.sweep.study import attributes
from segrun.sweep.study.purpose import difference, purpose
from segrun.sweep.study.settings import Settings
from segrun.sweep.study.storage import Storage

_OTHER_NAME = "give this search a name of its own, hydra.sweeper.study_name=NAME"


def opened(
    storage: Storage, settings: Settings, space: Space, sampler: BaseSampler
) -> optuna.Study:
    """Return the study of some settings on a space, as Optuna has it.

    Raises
    ------
    ConfigError
        If the study there is another one.
    StoreError
        If the storage cannot be opened.
    """
    with storage.exclusive():
        study = optuna.create_study(
            storage=storage.opened(),
            study_name=settings.name,
            directions=_directions(settings),
            sampler=sampler,
            load_if_exists=True,
        )
        _claim(study, storage, settings, space)
    return study


def _claim(study: optuna.Study, storage: Storage, settings: Settings, space: Space) -> None:
    """Write down what the study is for, or compare."""
    about = purpose(settings, space)
    before = study.user_attrs.get(attributes.ABOUT)
    other = study.directions != _directions(settings)
    if before is None and (other or study.get_trials(deepcopy=False)):
        raise ConfigError(f"{storage.shown} was not made by segrun: {_OTHER_NAME}")
    if before is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([objective.name for objective in settings.objectives])
        study.set_user_attr(attributes.ABOUT, about)
    elif before != about:
        what = difference(before, about)
        raise ConfigError(f"{storage.shown} {what}. Search the same, or {_OTHER_NAME}")


def _directions(settings: Settings) -> list[StudyDirection]:
    return [StudyDirection[goal.direction.upper()] for goal in settings.objectives]
