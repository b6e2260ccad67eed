"""Davies-Bouldin and Calinski-Harabasz against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from segrun.evaluation import centroids
from segrun.evaluation.centroids import centroid_scores
from segrun.evaluation.partition import partition


def by_sklearn(X, labels):
    inside = labels >= 0
    X, labels = X[inside], labels[inside]
    return davies_bouldin_score(X, labels), calinski_harabasz_score(X, labels)


def test_two_clusters_on_a_line_by_hand():
    X = np.array([[0.0], [2.0], [10.0], [14.0], [99.0]])
    davies_bouldin, calinski_harabasz = centroid_scores(X, partition(np.array([0, 0, 1, 1, -1])))
    # Centroids 1 and 12, spreads 1 and 2, overall mean 6.5; squares 2 + 8 within.
    assert davies_bouldin == pytest.approx((1 + 2) / 11)
    assert calinski_harabasz == pytest.approx((4 * 5.5**2 / 1) / (10 / 2))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(0, 1))
def test_any_clusters_equal_scikit_learn(seed, n_clusters, noise):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3))
    labels = np.r_[0, 0, 1, rng.integers(-noise, n_clusters, 57)]
    assert centroid_scores(X, partition(labels)) == pytest.approx(by_sklearn(X, labels))


@pytest.mark.parametrize("n_samples", [4095, 4096, 4097, 9000])
def test_blocks_of_rows_do_not_matter(n_samples):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(n_samples, 2)), rng.integers(-1, 4, n_samples)
    assert centroid_scores(X, partition(labels)) == pytest.approx(by_sklearn(X, labels))


def test_chunks_of_centroids_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(2000, 2)), rng.integers(0, 900, 2000)
    monkeypatch.setattr(centroids, "CENTROID_MEBIBYTES", 1)
    assert centroid_scores(X, partition(labels)) == pytest.approx(by_sklearn(X, labels))


def test_rows_all_at_their_centroids_score_as_in_scikit_learn():
    X = np.repeat([[0.0, 1.0], [5.0, 5.0]], 3, axis=0)
    labels = np.repeat([0, 1], 3)
    assert centroid_scores(X, partition(labels)) == by_sklearn(X, labels) == (0.0, 1.0)


def test_clusters_at_the_same_place_count_as_in_scikit_learn():
    X = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    labels = np.array([0, 0, 1, 1])
    assert centroid_scores(X, partition(labels)) == by_sklearn(X, labels) == (0.0, 0.0)
