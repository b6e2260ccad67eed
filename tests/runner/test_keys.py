"""Which settings are part of a content key: what they declare to change, and nothing else."""

from copy import deepcopy
from dataclasses import replace
from importlib.metadata import version

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
from segrun.rundir.environment import own_code
from segrun.runner.keys import (
    CODE,
    LIBRARIES,
    _version,
    data_values,
    features_key,
    job_key,
    kind_key,
    libraries,
    part_keys,
    point_key,
)

POINT = Point("single", {"n_clusters": 3}, {})


@pytest.fixture(scope="module")
def experiment(composed):
    return composed("algo.params.n_clusters=3")


def keys(experiment):
    values = plain(experiment)
    return point_key(values, POINT, None, {}), kind_key(values, None), job_key(values, None, {})


@pytest.mark.heavy
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


@pytest.mark.heavy
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


#: What the keys of a point, of a kind of job and of a job do with some settings, one by one.
FOLLOWS = {
    "store.models": (False, False, True),
    "store.state": (False, False, False),
    "seed": (True, False, True),
    "algo.name": (True, True, True),
    "algo.params": (False, False, True),
    "algo.grid": (False, False, True),
    "backend.name": (True, True, True),
    "transform.scale": (True, True, True),
    "evaluation.min_share": (False, True, True),
    "timing.repeats": (False, True, True),
    "timing.round": (False, False, True),
    "report": (False, False, True),
    "cache.min_bytes": (False, False, False),
    "dataset.path": (False, False, False),
    "preflight.max_seconds": (False, False, False),
}


@pytest.mark.heavy
@pytest.mark.parametrize("name", FOLLOWS)
def test_every_key_follows_what_it_depends_on(wholes, name):
    def made(values):
        return point_key(values, POINT, "0", {}), kind_key(values, "0"), job_key(values, "0", {})

    before, after = made(wholes[0]), made(changed(wholes[0], name))
    assert tuple(a != b for a, b in zip(before, after, strict=True)) == FOLLOWS[name]


def test_a_point_is_its_parameters_and_no_job_is_kept_for_another_input_or_version(wholes):
    values, other = wholes[0], Point("single", {"n_clusters": 4}, {})
    assert point_key(values, POINT, "0", {}) != point_key(values, other, "0", {})
    for of in (lambda *a: point_key(values, POINT, *a), lambda *a: job_key(values, *a)):
        found = {of("0", {}), of("1", {}), of(None, {}), of("0", {"numpy": "1"})}
        assert len(found) == 4
        assert of("0", {"a": "1", "b": "2"}) == of("0", {"b": "2", "a": "1"})
    assert kind_key(values, "0") != kind_key(values, "1")


def test_a_result_depends_on_its_libraries_the_code_and_the_plugins_origin():
    found = libraries("plug 1.0, code 12")
    assert found["algorithm"] == "plug 1.0, code 12"
    assert found[CODE] == own_code()
    for name in ("segrun", "numpy", "scipy", "scikit-learn", "numba", "polars", "narwhals"):
        assert found[name] == version(name)
    assert set(found) == {*LIBRARIES, CODE, "algorithm"}
    assert _version("a-distribution-that-is-not-there") == ""


def test_the_part_that_differs_is_named(wholes):
    def differs(values, sha256="0", versions=None):
        before = part_keys(wholes[0], "0", {"numpy": "1"})
        after = part_keys(values, sha256, versions or {"numpy": "1"})
        assert all(len(digest) == 12 for digest in after.values())
        return {name for name in before | after if before.get(name) != after.get(name)}

    assert differs(wholes[0]) == set()
    assert differs(changed(wholes[0], "store.models")) == {"store"}
    assert differs(changed(wholes[0], "algo.params")) == {"algo"}
    assert differs(wholes[0], "1") == {"input"}
    assert differs(wholes[0], versions={"numpy": "2"}) == {"versions"}


def test_no_segment_is_in_the_key_of_a_job_that_describes_none(wholes):
    bare = deepcopy(wholes[0])
    bare["segments"]["describe"] = False
    assert "segments" not in part_keys(bare, "0", {})
    for described in (wholes[0], bare | {"report": "html"}):
        assert "segments" in part_keys(described, "0", {})
    # Only what may be sampled depends on what a run may take.
    assert "preflight" not in part_keys(wholes[0], "0", {})


@pytest.mark.heavy
def test_data_are_kept_with_what_is_said_of_them_and_features_by_file_and_code(experiment):
    assert data_values(experiment)["segments"] == {"describe": False}
    file = features_key(experiment, "0")
    assert file != features_key(experiment, "1")
    assert file == features_key(replace(experiment, seed=experiment.seed + 1), "0")
