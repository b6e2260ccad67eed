"""What is wrong with an experiment is told before any data is read."""

from copy import deepcopy

import pytest

from segrun.config import EngineName, ModelsKept, Report, Scale
from segrun.errors import ConfigError
from segrun.runner.checks import check, folder_name


@pytest.fixture(scope="module")
def bases(composed):
    ratings = ("dataset=synthetic_ratings", "features=ratings", "transform=svd_10")
    found = {"retail": composed(), "ratings": composed(*ratings)}
    found["file"] = composed("dataset=online_retail", "dataset.path=f.csv", "algo=dbscan")
    return found


def changed(experiment, changes):
    """Return the experiment with other values of the keys named by their dotted path."""
    experiment = deepcopy(experiment)
    for name, value in changes.items():
        *holders, last = name.split(".")
        place = experiment
        for holder in holders:
            place = getattr(place, holder)
        setattr(place, last, value)
    return experiment


@pytest.mark.parametrize(
    ("base", "changes", "said"),
    [
        ("retail", {"name": "a/b"}, "names a folder"),
        ("retail", {"timing.repeats": 0}, "timing.repeats"),
        ("file", {"algo.shared_centres": True}, "algo.shared_centres"),
        ("retail", {"engine.name": EngineName.duckdb}, "keys of another engine"),
        ("file", {"dataset.separator": "long"}, "dataset.separator"),
        ("retail", {"features.name": "none such"}, "none such"),
        ("retail", {"augmentation.factor": 2, "augmentation.rows": 5}, "augmentation.rows=5"),
        (
            "retail",
            {"augmentation.factor": 2, "augmentation.lognormal_columns": ["No"]},
            "lognormal_columns",
        ),
        ("retail", {"transform.log1p": ["No"]}, "transform.log1p"),
        ("retail", {"store.state": True, "store.models": ModelsKept.none}, "store.models=none"),
        ("ratings", {"store.state": True, "store.models": ModelsKept.all}, "cannot be merged"),
        ("ratings", {"transform.scale": Scale.robust}, "transform.scale=robust"),
        ("ratings", {"augmentation.factor": 2}, "augmentation="),
        ("retail", {"evaluation.min_share": 0.6, "evaluation.max_share": 0.5}, "min_share=0.6"),
        ("retail", {"segments.order_by": "No"}, "segments.order_by"),
        ("retail", {"segments.describe": True, "segments.point": "k"}, "segments.point=k"),
        ("retail", {"report": Report.html, "segments.point": "k"}, "segments.point=k"),
    ],
)
def test_an_experiment_that_cannot_run_is_refused(bases, base, changes, said):
    with pytest.raises(ConfigError, match=said):
        check(changed(bases[base], changes))


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        ("retail", {}),
        ("ratings", {}),
        ("file", {}),
        ("retail", {"store.state": True, "store.models": ModelsKept.all}),
        ("ratings", {"store.state": False, "store.models": ModelsKept.none}),
        ("retail", {"transform.scale": Scale.robust, "augmentation.factor": 2}),
        # Nothing is described: no point of the grid is asked for.
        ("retail", {"segments.point": "k"}),
    ],
)
def test_an_experiment_that_can_run_is_not(bases, base, changes):
    check(changed(bases[base], changes))


@pytest.mark.parametrize("name", ["", ".", "-a", "_a", "a b", "../a"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(ConfigError, match="names a folder"):
        folder_name(name)


@pytest.mark.parametrize("name", ["a", "0", "My-run_1.2"])
def test_a_folder_name_is_returned(name):
    assert folder_name(name) == name
