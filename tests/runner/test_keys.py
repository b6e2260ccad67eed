"""Which settings are part of a content key: what they declare to change, and nothing else."""

from copy import deepcopy
from dataclasses import replace

import pytest

from segrun.algorithms.grid import Point
from segrun.config import (
    Effect,
    NamesConfig,
    Report,
    SegmentsConfig,
    effects,
    from_plain,
    plain,
)
from segrun.runner.keys import data_values, features_key, job_key, kind_key, point_key

POINT = Point("single", {"n_clusters": 3}, {})


@pytest.fixture(scope="module")
def experiment(composed):
    return composed("algo.params.n_clusters=3")


def keys(experiment):
    values = plain(experiment)
    return point_key(values, POINT, None, {}), kind_key(values, None), job_key(values, None, {})


@pytest.mark.parametrize(
    "change",
    [
        {"segments": SegmentsConfig(describe=True, order_by="Amount")},
        {"report": Report.html},
    ],
)
def test_no_label_and_no_time_of_a_fit_depends_on_what_is_described(experiment, change):
    before, after = keys(experiment), keys(replace(experiment, **change))
    assert after[:2] == before[:2]
    # But another job's results are not these.
    assert after[2] != before[2]


def test_how_segments_would_be_described_changes_nothing_where_they_are_not(experiment):
    settings = SegmentsConfig(order_by="Amount", names=NamesConfig(propose=False))
    assert keys(replace(experiment, segments=settings)) == keys(experiment)
    described = replace(experiment, segments=replace(settings, describe=True))
    other = replace(experiment, segments=SegmentsConfig(describe=True))
    assert keys(described)[2] != keys(other)[2]


#: Experiments that have every key between them, described so that `segments` counts.
WHOLE = [
    ["dataset=transactions", "dataset.path=f.csv"],
    ["dataset=records", "dataset.path=f.csv", "dataset.id=who", "features=aggregate"],
    ["dataset=ratings", "dataset.path=f.csv", "features=ratings", "engine=modin"],
    ["dataset=synthetic_retail", "features=rfm_calendar", "engine=pyspark"],
    ["dataset=synthetic_sales", "features=spend", "engine=duckdb"],
    ["dataset=synthetic_weblogs", "features=table"],
    ["dataset=synthetic_ratings", "features=ratings"],
]
#: A place stands for what is in the file; the grid of a point is the point.
BY_OTHER_MEANS = ("dataset.path", "dataset.query", "algo.params", "algo.grid")


@pytest.fixture(scope="module")
def wholes(composed):
    return [plain(composed(*given, "segments.describe=true")) for given in WHOLE]


def changed(values, name):
    """Return the plain values with another value of one key, None where it is not there."""
    values = deepcopy(values)
    *holders, last = name.split(".")
    place = values
    for holder in holders:
        place = place.get(holder, {}) if isinstance(place, dict) else {}
    if last not in place:
        return None
    place[last] = f"{place[last]} otherwise"
    return values


def every_change(wholes):
    """Yield an effect, and values before and after a change of a key that has it."""
    for name, effect in effects().items():
        found = [(whole, changed(whole, name)) for whole in wholes]
        found = [(before, after) for before, after in found if after is not None]
        assert found, f"no experiment has {name}"
        if name not in BY_OTHER_MEANS:
            yield from ((name, effect, before, after) for before, after in found)


@pytest.mark.heavy
def test_a_key_changes_the_keys_that_follow_from_its_effect(wholes):
    results = set(Effect) - {Effect.COST, Effect.NONE}
    for name, effect, before, after in every_change(wholes):
        same = job_key(before, "0", {}) == job_key(after, "0", {})
        assert same == (effect not in results), name
        same = point_key(before, POINT, "0", {}) == point_key(after, POINT, "0", {})
        assert same == (effect not in (Effect.DATA, Effect.LABELS)), name


def test_jobs_of_one_kind_differ_in_what_takes_no_time(wholes):
    free = {"seed", "timing.round", "algo.estimator", "algo.shared_centres"}
    for name, effect, before, after in every_change(wholes):
        timed = effect in (Effect.DATA, Effect.LABELS, Effect.SCORES, Effect.TIMINGS)
        same = kind_key(before, "0") == kind_key(after, "0")
        assert same == (name in free or not timed), name


def test_a_place_counts_only_where_nothing_else_is_known_of_the_rows(wholes):
    moved = changed(wholes[0], "dataset.path")
    assert job_key(moved, "0", {}) == job_key(wholes[0], "0", {})
    assert job_key(moved, "1", {}) != job_key(moved, "0", {})
    asked, elsewhere = (changed(values, "dataset.query") for values in (wholes[0], moved))
    assert job_key(asked, "0", {}) != job_key(elsewhere, "0", {})


def test_a_silhouette_that_may_be_sampled_depends_on_what_the_run_may_take(wholes):
    whole = deepcopy(wholes[0])
    whole["preflight"]["action"] = "sample"
    before, after = (job_key(v, "0", {}) for v in (whole, changed(whole, "preflight.max_seconds")))
    assert before != after


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("change", "matrix", "features"),
    [
        ("seed=1", True, False),
        ("augmentation=x10", True, False),
        ("transform=robust", True, False),
        ("engine=pandas", True, True),
        ("segments.describe=true", True, True),
        ("features.warn_removed=0.5", True, True),
        ("features.outliers.factor=1", True, True),
        ("algo=dbscan", False, False),
        ("evaluation.min_share=0.1", False, False),
        ("dataset.batch_bytes=7", False, False),
    ],
)
def test_prepared_data_and_features_are_kept_by_what_they_depend_on(
    composed, change, matrix, features
):
    given = ["dataset=online_retail", "dataset.path=f.csv"]
    before, after = composed(*given), composed(*given, change)
    assert (data_values(before) != data_values(after)) == matrix
    assert (features_key(before, "0") != features_key(after, "0")) == features
    assert features_key(before, "0") == features_key(from_plain(plain(before)), "0")
