"""The choice of the best point."""

import pytest

from segrun.evaluate.scores import Scores
from segrun.evaluate.select import select


def point(silhouette, noise_share=0.0):
    return Scores(2, 0, noise_share, 0.5, 0.5, {}, silhouette)


def test_the_best_silhouette_is_selected():
    assert select({"a": point(0.1), "b": point(0.3), "c": point(0.2)}, 0.5) == "b"


def test_the_first_of_equals_is_selected():
    assert select({"a": point(0.1), "b": point(0.3), "c": point(0.3)}, 0.5) == "b"


def test_a_negative_silhouette_can_be_the_best():
    assert select({"a": point(-0.5), "b": point(-0.2)}, 0.5) == "b"


@pytest.mark.parametrize(("limit", "chosen"), [(0.5, "b"), (0.499, "a"), (0.0, "a"), (1.0, "c")])
def test_points_with_more_noise_than_the_limit_do_not_qualify(limit, chosen):
    scores = {"a": point(0.1), "b": point(0.3, 0.5), "c": point(0.9, 0.75)}
    assert select(scores, limit) == chosen


def test_points_without_silhouette_do_not_qualify():
    assert select({"a": point(None), "b": point(-1.0)}, 0.5) == "b"


@pytest.mark.parametrize("scores", [{}, {"a": point(None)}, {"a": point(0.9, 0.6)}])
def test_nothing_is_selected_where_no_point_qualifies(scores):
    assert select(scores, 0.5) is None
