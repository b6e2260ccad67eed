"""What a typed schema cannot say: ranges and names that must be right before data is read."""

from __future__ import annotations

import re

from segrun.config import Experiment, ModelsKept, Report, check_ranges
from segrun.errors import ConfigError


def check(experiment: Experiment) -> None:
    """Refuse an experiment that cannot run, before any data is read or scikit-learn imported.

    The algorithm's parameters are checked apart, by making its estimators.
    """
    from segrun import features
    from segrun.algorithms.grid import points
    from segrun.data import datasets, engines
    from segrun.evaluation.select import check as check_evaluation
    from segrun.features import augment, transform
    from segrun.runner import centres
    from segrun.segments.check import check as check_segments
    from segrun.segments.check import check_point

    folder_name(experiment.name)
    check_ranges(experiment)
    centres.check(experiment.algo)
    engines.check(experiment.engine)
    datasets.check(experiment.dataset)
    features.check(experiment.features, experiment.dataset)
    names = features.feature_names(experiment.features, experiment.dataset)
    augment.check(experiment.augmentation, names)
    transform.check(experiment.transform, names)
    if experiment.store.state:
        features.check_mergeable(experiment.features)
        if experiment.store.models is ModelsKept.none:
            raise ConfigError(
                "store.state=true with store.models=none: new sales would find no model"
            )
    if features.feature_set_of(experiment.features).sparse:
        transform.check_sparse(experiment.transform, experiment.augmentation)
    check_evaluation(experiment.evaluation)
    check_segments(
        experiment.segments,
        features.column_names(experiment.features, experiment.dataset),
        features.text_names(experiment.features, experiment.dataset),
    )
    if experiment.segments.describe or experiment.report is Report.html:
        check_point(experiment.segments, points(experiment.algo))


def folder_name(name: str) -> str:
    """Return the experiment's name, which is its folder below outputs/."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise ConfigError(
            f"name={name!r} names a folder: begin with a letter or digit, go on with letters, "
            "digits, dots, dashes, underscores"
        )
    return name
