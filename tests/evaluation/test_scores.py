"""Scores of all points of a grid together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
)

from segrun.config import EvaluationConfig, SilhouetteConfig
from segrun.evaluation import scores as module
from segrun.evaluation.partition import partition
from segrun.evaluation.scores import centroid_scores, evaluate
from segrun.evaluation.silhouette import scored_rows


def config(max_exact_rows=10_000, sample_rows=10_000):
    return EvaluationConfig(SilhouetteConfig(max_exact_rows, sample_rows), 0.5)


def blobs(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, 4)) + 3 * rng.integers(0, 3, (n_samples, 1))


def noisy_labels(n_samples, n_clusters=5, seed=1):
    return np.random.default_rng(seed).integers(-1, n_clusters, n_samples)


def only(X, labels, settings=None, seed=0):
    return evaluate(X, {"p": np.asarray(labels)}, settings or config(), seed)["p"]


SIX = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [50.0]])


def test_sizes_and_shares_count_all_rows():
    found = only(SIX, [7, 7, 7, 3, 3, -1])
    assert (found.n_clusters, found.n_noise) == (2, 1)
    assert found.sizes == {3: 2, 7: 3}
    assert (found.noise_share, found.smallest_share, found.largest_share) == (1 / 6, 2 / 6, 3 / 6)


def test_sizes_are_plain_integers():
    sizes = only(SIX, [7, 7, 7, 3, 3, -1]).sizes
    assert {type(number) for item in sizes.items() for number in item} == {int}


def test_scores_leave_noise_out_as_scikit_learn_on_the_clustered_rows():
    X, labels = blobs(400), noisy_labels(400)
    found = only(X, labels)
    inside = labels >= 0
    assert found.silhouette == pytest.approx(silhouette_score(X[inside], labels[inside]), abs=1e-9)
    assert found.davies_bouldin == pytest.approx(davies_bouldin_score(X[inside], labels[inside]))
    assert found.calinski_harabasz == pytest.approx(
        calinski_harabasz_score(X[inside], labels[inside])
    )
    assert (found.silhouette_rows, found.silhouette_se) == (inside.sum(), 0.0)
    assert found.reason == ""


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([-1, -1, -1, -1, -1, -1], "every row is noise"),
        ([0, 0, 0, 0, 0, 0], "only one cluster"),
        ([-1, 4, 4, 4, 4, -1], "only one cluster"),
        ([5, 4, 3, 2, 1, 0], "every cluster is a single row"),
        ([-1, -1, -1, -1, 0, 1], "every cluster is a single row"),
        ([0, -1, -1, -1, -1, -1], "only one cluster"),
    ],
)
def test_what_cannot_be_scored_is_recorded_with_its_reason(labels, reason):
    found = only(SIX, labels)
    assert found.reason.startswith(reason)
    assert found.n_noise == labels.count(-1)
    assert found.silhouette is found.silhouette_se is found.silhouette_rows is None
    assert found.davies_bouldin is found.calinski_harabasz is None


def test_shares_are_missing_where_every_row_is_noise():
    found = only(SIX, [-1] * 6)
    assert (found.noise_share, found.smallest_share, found.largest_share) == (1.0, None, None)
    assert found.sizes == {}


def test_one_point_without_scores_does_not_disturb_the_others():
    X, good = blobs(100), noisy_labels(100)
    found = evaluate(X, {"none": np.zeros(100, int), "good": good}, config(), 0)
    assert list(found) == ["none", "good"]
    assert found["none"].silhouette is None
    assert found["good"] == only(X, good)


def test_no_point_gives_no_scores():
    """Every fit of a grid may have failed."""
    assert evaluate(SIX, {}, config(), 0) == {}


def test_negative_labels_are_all_noise():
    assert only(SIX, [0, 0, 1, 1, -2, -3]) == only(SIX, [0, 0, 1, 1, -1, -1])


def test_labels_larger_than_the_rows_are_as_good():
    found = only(SIX, [10**12, 10**12, 5, 5, 5, -1])
    assert found.sizes == {5: 3, 10**12: 2}
    assert found.silhouette == only(SIX, [1, 1, 0, 0, 0, -1]).silhouette


def test_identical_label_sets_are_scored_once(monkeypatch):
    counted = []
    real = module.silhouettes

    def counting(X, partitions, *args, **kwargs):
        counted.append(len(partitions))
        return real(X, partitions, *args, **kwargs)

    monkeypatch.setattr(module, "silhouettes", counting)
    labels, other = noisy_labels(50), noisy_labels(50, 3)
    found = evaluate(blobs(50), {"a": labels, "b": other, "c": labels.copy()}, config(), 0)
    assert counted == [2]
    assert found["a"] == found["c"] != found["b"]


def test_the_same_clusters_under_other_labels_keep_their_own_sizes():
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([2, 2, 2, 8, 8, 8])
    found = evaluate(SIX, {"a": first, "b": second}, config(), 0)
    assert found["a"].sizes == {0: 3, 1: 3}
    assert found["b"].sizes == {2: 3, 8: 3}


def test_labels_of_another_length_are_refused_by_name():
    with pytest.raises(ValueError, match="short has 5 labels for 6 rows"):
        evaluate(SIX, {"short": np.zeros(5, int)}, config(), 0)


def test_every_cluster_has_the_mean_of_its_rows():
    X, labels = blobs(400), 3 * noisy_labels(400)
    inside = labels >= 0
    values = silhouette_samples(X[inside], labels[inside])
    found = only(X, labels)
    assert list(found.cluster_silhouettes) == list(found.sizes) == [0, 3, 6, 9, 12]
    for label, own in found.cluster_silhouettes.items():
        assert own.mean == pytest.approx(values[labels[inside] == label].mean(), abs=1e-9)
        assert (own.standard_error, own.n_rows) == (0.0, found.sizes[label])


def test_sampled_clusters_add_up_to_the_sampled_score():
    X, labels = blobs(2000), noisy_labels(2000)
    found = only(X, labels, config(max_exact_rows=1999, sample_rows=500))
    parts = found.cluster_silhouettes.values()
    assert sum(own.n_rows for own in parts) == found.silhouette_rows
    assert sum(own.n_rows * own.mean for own in parts) == pytest.approx(
        found.silhouette * found.silhouette_rows
    )
    assert all(own.standard_error > 0 for own in parts)


def test_clusters_that_cannot_be_scored_have_no_silhouette():
    assert only(SIX, [0] * 6).cluster_silhouettes == {}


@pytest.mark.heavy
def test_above_the_limit_a_sample_is_scored_against_all_rows():
    X, labels = blobs(2000), noisy_labels(2000)
    found = only(X, labels, config(max_exact_rows=1999, sample_rows=500), seed=4)
    inside = labels >= 0
    values = np.full(2000, np.nan)
    values[inside] = silhouette_samples(X[inside], labels[inside])
    scored = values[scored_rows(2000, SilhouetteConfig(1999, 500), 4)]
    scored = scored[~np.isnan(scored)]
    assert found.silhouette_rows == len(scored)
    assert 350 < len(scored) < 500
    assert found.silhouette == pytest.approx(scored.mean(), abs=1e-7)
    error = scored.std(ddof=1) / len(scored) ** 0.5 * (1 - len(scored) / inside.sum()) ** 0.5
    assert found.silhouette_se == pytest.approx(error, rel=1e-5)
    exact = only(X, labels)
    assert abs(found.silhouette - exact.silhouette) < 4 * found.silhouette_se
    # Centroids cost little: these scores are over all rows in any case.
    assert found.davies_bouldin == exact.davies_bouldin


def test_at_the_limit_the_silhouette_is_exact():
    X, labels = blobs(300), noisy_labels(300)
    assert only(X, labels, config(300, 20)) == only(X, labels)
    assert only(X, labels, config(299, 20)).silhouette_rows <= 20


def test_a_sample_of_all_rows_is_exact():
    X, labels = blobs(300), noisy_labels(300)
    for sample_rows in (300, 301):
        found = only(X, labels, config(max_exact_rows=1, sample_rows=sample_rows))
        assert found == only(X, labels)
        assert found.silhouette_se == 0


def test_the_sample_follows_from_the_seed_and_not_from_the_other_points():
    X, labels = blobs(1000), noisy_labels(1000)
    small = config(max_exact_rows=10, sample_rows=100)
    alone = only(X, labels, small, seed=1)
    grid = {"q": noisy_labels(1000, 9, seed=2), "p": labels, "r": noisy_labels(1000, 2, seed=3)}
    together = evaluate(X, grid, small, 1)["p"]
    assert together.silhouette == pytest.approx(alone.silhouette, abs=1e-7)
    assert together.silhouette_rows == alone.silhouette_rows
    assert only(X, labels, small, seed=1) == alone
    assert only(X, labels, small, seed=2).silhouette != alone.silhouette


def test_a_sample_without_a_clustered_row_is_recorded():
    X, labels = blobs(1000), np.full(1000, -1)
    rows = scored_rows(1000, SilhouetteConfig(1, 5), 0)
    labels[np.setdiff1d(np.arange(1000), rows)[:10]] = np.arange(10) % 2
    found = only(X, labels, config(1, 5))
    assert (found.silhouette, found.silhouette_se, found.silhouette_rows) == (None, None, 0)
    assert found.reason == "no sampled row is in a cluster"
    assert found.davies_bouldin is not None


def test_progress_rises_from_0_to_1():
    seen = []
    X = blobs(2000)
    grid = {str(k): noisy_labels(2000, k) for k in (2, 3, 4)}
    evaluate(X, grid, config(), 0, seen.append)
    assert seen[0] == 0
    assert seen[-1] == 1
    assert seen == sorted(seen)
    assert seen[-2] == pytest.approx(1)  # the work adds up to what was announced
    assert len({share for share in seen if 0 < share < 1}) > 5


def test_progress_ends_at_1_where_nothing_can_be_scored():
    seen = []
    evaluate(SIX, {"p": np.zeros(6, int)}, config(), 0, seen.append)
    assert seen == [1.0]


def test_an_error_while_reporting_progress_is_not_swallowed():
    def broken(_):
        raise RuntimeError("terminal gone")

    with pytest.raises(RuntimeError, match="terminal gone"):
        evaluate(SIX, {"p": np.array([0, 0, 0, 1, 1, 1])}, config(), 0, broken)


def test_rows_in_column_order_or_single_precision_are_taken():
    X, labels = blobs(50).astype(np.float32), noisy_labels(50)
    expected = only(X.astype(np.float64), labels)
    assert only(np.asfortranarray(X), labels.astype(np.int32)) == expected


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


@pytest.mark.heavy
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


@pytest.mark.heavy
def test_chunks_of_centroids_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(2000, 2)), rng.integers(0, 900, 2000)
    monkeypatch.setattr("segrun.evaluation.scores.CENTROID_MEBIBYTES", 1)
    assert centroid_scores(X, partition(labels)) == pytest.approx(by_sklearn(X, labels))


def test_rows_all_at_their_centroids_score_as_in_scikit_learn():
    X = np.repeat([[0.0, 1.0], [5.0, 5.0]], 3, axis=0)
    labels = np.repeat([0, 1], 3)
    assert centroid_scores(X, partition(labels)) == by_sklearn(X, labels) == (0.0, 1.0)


def test_clusters_at_the_same_place_count_as_in_scikit_learn():
    X = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    labels = np.array([0, 0, 1, 1])
    assert centroid_scores(X, partition(labels)) == by_sklearn(X, labels) == (0.0, 0.0)
