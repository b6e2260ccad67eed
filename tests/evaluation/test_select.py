"""The choice of the best point."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest

from segrun.config import Criterion, EvaluationConfig, SilhouetteConfig, check_ranges
from segrun.errors import ConfigError
from segrun.evaluation.scores import Scores
from segrun.evaluation.select import best, select


def limits(max_noise_share=0.5, **others):
    return EvaluationConfig(SilhouetteConfig(1, 1), max_noise_share, **others)


def point(silhouette, noise_share=0.0):
    return Scores(2, 0, noise_share, 0.5, 0.5, {}, silhouette)


def test_the_best_silhouette_is_selected():
    assert select({"a": point(0.1), "b": point(0.3), "c": point(0.2)}, limits()) == "b"


def test_the_first_of_equals_is_selected():
    assert select({"a": point(0.1), "b": point(0.3), "c": point(0.3)}, limits()) == "b"


def test_what_did_not_converge_is_not_selected_unless_allowed():
    scores = {"a": point(0.1), "b": replace(point(0.3), converged=False),
              "c": replace(point(0.2), converged=True)}  # fmt: skip
    assert select(scores, limits()) == "c"
    assert select(scores, limits(allow_unconverged=True)) == "b"


def test_a_negative_silhouette_can_be_the_best():
    assert select({"a": point(-0.5), "b": point(-0.2)}, limits()) == "b"


@pytest.mark.parametrize(("limit", "chosen"), [(0.5, "b"), (0.499, "a"), (0.0, "a"), (1.0, "c")])
def test_points_with_more_noise_than_the_limit_do_not_qualify(limit, chosen):
    scores = {"a": point(0.1), "b": point(0.3, 0.5), "c": point(0.9, 0.75)}
    assert select(scores, limits(limit)) == chosen


def test_points_without_silhouette_do_not_qualify():
    assert select({"a": point(None), "b": point(-1.0)}, limits()) == "b"


@pytest.mark.parametrize("scores", [{}, {"a": point(None)}, {"a": point(0.9, 0.6)}])
def test_nothing_is_selected_where_no_point_qualifies(scores):
    assert select(scores, limits()) is None


@pytest.mark.parametrize(
    ("limit", "chosen"),
    [
        ({}, "two"),
        ({"min_clusters": 3}, "five"),
        ({"min_clusters": 6}, "nine"),
        ({"max_clusters": 1}, None),
        ({"max_share": 0.89}, "five"),
        ({"max_share": 0.9}, "two"),
        ({"min_share": 0.11}, None),
        ({"min_share": 0.1}, "two"),
        ({"min_share": 0.05, "max_share": 0.8}, "five"),
    ],
)
def test_points_beyond_a_limit_do_not_compete(limit, chosen):
    scores = {
        "two": Scores(2, 0, 0.0, 0.1, 0.9, {}, 0.6),
        "five": Scores(5, 0, 0.0, 0.05, 0.5, {}, 0.4),
        "nine": Scores(9, 0, 0.0, 0.001, 0.3, {}, 0.3),
    }
    assert select(scores, limits(**limit)) == chosen


def test_the_criterion_tells_which_way_is_better():
    points = {
        "a": {"silhouette": 0.5, "davies_bouldin": 0.9, "calinski_harabasz": 10.0},
        "b": {"silhouette": 0.4, "davies_bouldin": 0.7, "calinski_harabasz": 20.0},
        "c": {"silhouette": None, "davies_bouldin": None, "calinski_harabasz": None},
    }
    assert best(points, Criterion.silhouette) == "a"
    assert best(points, Criterion.davies_bouldin) == "b"
    assert best(points, Criterion.calinski_harabasz) == "b"


@pytest.mark.heavy
def test_the_elbow_is_where_the_inertia_stops_to_fall_fast():
    falling = {1: 100.0, 2: 60.0, 3: 25.0, 4: 20.0, 5: 17.0, 6: 15.0, 7: 14.0}
    points = {f"k={k}": {"n_clusters": k, "inertia": value} for k, value in falling.items()}
    # A worse fit with as many clusters does not count.
    points["worse"] = {"n_clusters": 3, "inertia": 90.0}
    assert best(points, Criterion.elbow) == "k=3"


@pytest.mark.parametrize("values", [{}, {1: 3.0, 2: 1.0}, {1: 3.0, 2: 2.0, 3: 1.0, 4: 0.0}])
def test_a_straight_or_short_curve_has_no_elbow(values):
    points = {f"k={k}": {"n_clusters": k, "inertia": value} for k, value in values.items()}
    assert best(points, Criterion.elbow) is None


def test_points_without_inertia_have_no_elbow():
    points = {"eps=1": {"n_clusters": 4, "inertia": None}}
    assert best(points, Criterion.elbow) is None


def sampled(max_exact_rows=1, sample_rows=1, max_noise_share=0.5):
    return EvaluationConfig(SilhouetteConfig(max_exact_rows, sample_rows), max_noise_share)


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_the_ends_of_the_ranges_are_allowed(share):
    check_ranges(sampled(max_noise_share=share), "evaluation")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"max_exact_rows": 0}, r"evaluation\.silhouette\.max_exact_rows .*at least 1.*Got 0 "),
        ({"sample_rows": -5}, r"evaluation\.silhouette\.sample_rows .*at least 1.*Got -5 "),
        ({"max_noise_share": 1.01}, r"evaluation\.max_noise_share .*from 0 to 1\. Got 1\.01 "),
        ({"max_noise_share": -0.01}, r"evaluation\.max_noise_share .*from 0 to 1\. Got -0\.01 "),
        ({"max_noise_share": math.nan}, r"evaluation\.max_noise_share .*from 0 to 1\. Got nan "),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_range(bad, message):
    with pytest.raises(ConfigError, match=message):
        check_ranges(sampled(**bad), "evaluation")


@pytest.mark.heavy
def test_checking_loads_no_heavy_library():
    """Configuration errors come before scikit-learn is imported."""
    code = (
        "import sys; from segrun.evaluation.select import check;"
        "print('numpy' in sys.modules, 'sklearn' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
