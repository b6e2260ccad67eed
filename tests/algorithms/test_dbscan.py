"""New rows of a DBSCAN, against the definition in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from segrun.algorithms.backend import Backend
from segrun.algorithms.dbscan import assign

cells = st.tuples(st.integers(0, 9), st.integers(0, 9))


def by_definition(model, X):
    """Squares of whole numbers are exact, so that equal distances are."""
    labels = []
    for row in X:
        squares = [int(((row - core) ** 2).sum()) for core in model.components_]
        near = squares and min(squares) <= model.eps**2
        core = model.core_sample_indices_[squares.index(min(squares))] if near else -1
        labels.append(model.labels_[core] if near else -1)
    return labels


@pytest.mark.heavy
@given(
    rows=st.lists(cells, min_size=1, max_size=60),
    new=st.lists(cells, min_size=1, max_size=20),
    eps=st.sampled_from([1, 2, 3]),
    min_samples=st.integers(1, 5),
)
def test_a_new_row_gets_the_label_of_the_nearest_core_of_equals_the_first(
    rows, new, eps, min_samples
):
    X = np.array([*rows, *new], dtype=np.float64)
    model = DBSCAN(eps=eps, min_samples=min_samples).fit(X[: len(rows)])
    assert assign(model, X).tolist() == by_definition(model, X)


@pytest.mark.heavy
@pytest.mark.parametrize("order", [1, -1])
def test_between_two_clusters_the_core_that_comes_first_decides(order):
    X = np.array([[6.0], [6.5], [7.0], [4.0], [3.5], [3.0]])[::order]
    model = DBSCAN(eps=1.0, min_samples=2).fit(X)
    assert assign(model, np.array([[5.0]])).tolist() == [0]


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "minkowski", "p": 1},
        {"metric": "minkowski", "metric_params": {"p": 1}},
        {"metric": "manhattan"},
        {"metric": "cosine", "algorithm": "brute"},
    ],
    ids=str,
)
def test_distances_are_those_of_the_fit(params):
    X = np.random.default_rng(0).normal(size=(300, 4))
    eps = 0.05 if params["metric"] == "cosine" else 1.0
    model = DBSCAN(eps=eps, min_samples=4, **params).fit(X)
    core = model.core_sample_indices_
    found = assign(model, X)
    assert 0 < len(core) < len(X)
    assert np.array_equal(found[core], model.labels_[core])
    assert np.array_equal(found == -1, model.labels_ == -1)


@pytest.mark.heavy
def test_many_equal_rows_cost_no_more_than_one():
    X = np.repeat(np.array([[0.0, 0.0], [9.0, 9.0]]), 20_000, axis=0)
    fit = Backend("sklearn").fit(DBSCAN(eps=0.5, min_samples=5, algorithm="kd_tree"), X[::100])
    assert np.array_equal(assign(fit.model, X), np.repeat([0, 1], 20_000))


@pytest.mark.heavy
def test_without_a_core_row_everything_is_noise():
    X = np.arange(5.0)[:, None] * 10
    model = DBSCAN(eps=0.5, min_samples=2).fit(X)
    assert assign(model, X).tolist() == [-1] * 5
