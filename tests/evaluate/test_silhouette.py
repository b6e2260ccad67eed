"""Silhouettes against scikit-learn, whatever the shape of the label sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import silhouette_samples

from segrun.evaluate import joint, silhouette
from segrun.evaluate.partition import partition
from segrun.evaluate.silhouette import silhouettes


def score(X, label_sets, rows=None, threads=1):
    rows = np.arange(len(X)) if rows is None else rows
    parts = [partition(labels) for labels in label_sets]
    return silhouettes(X, parts, rows, threads=threads, advance=lambda n_rows: None)


def by_sklearn(X, labels):
    """Silhouettes over the rows that are in a cluster, NaN elsewhere."""
    values = np.full(len(X), np.nan)
    inside = labels >= 0
    values[inside] = silhouette_samples(X[inside], labels[inside])
    return values


def blobs(n_samples, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_features)) + 3 * rng.integers(0, 3, (n_samples, 1))


def random_sets(n_samples, n_sets=4, n_clusters=5, noise=True, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.integers(-1 if noise else 0, n_clusters + i, n_samples) for i in range(n_sets)]


def scorable(labels):
    inside = labels[labels >= 0]
    return 2 <= len(np.unique(inside)) < len(inside)


def test_four_points_on_a_line_by_hand():
    X = np.array([[0.0], [1.0], [5.0], [7.0]])
    values = score(X, [np.array([0, 0, 1, 1])])[0]
    # Row 0: a = 1, b = (5 + 7) / 2 = 6.  Row 2: a = 2, b = (5 + 4) / 2 = 4.5.
    assert values == pytest.approx([5 / 6, 4 / 5, 2.5 / 4.5, 4.5 / 6.5], abs=1e-12)


def test_values_of_every_row_equal_scikit_learn():
    X, sets = blobs(500), random_sets(500)
    expected = [by_sklearn(X, labels) for labels in sets]
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_small_label_sets_equal_scikit_learn(data):
    n_samples = data.draw(st.integers(3, 25))
    # Whole numbers: copies of a row are frequent, and scikit-learn's own distances exact.
    X = data.draw(arrays(float, (n_samples, 2), elements=st.integers(-4, 4).map(float)))
    labels = arrays(np.int64, n_samples, elements=st.integers(-1, 4)).filter(scorable)
    sets = data.draw(st.lists(labels, min_size=1, max_size=4))
    expected = [by_sklearn(X, labels) for labels in sets]
    # A copy of a row is at distance zero to within 1e-7 only (see `silhouettes`).
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-6)


def test_the_only_row_of_a_cluster_scores_zero():
    values = score(blobs(6), [np.array([0, 0, 0, 1, 2, 2])])[0]
    assert values[3] == 0
    assert np.all(values[[0, 1, 2, 4, 5]] != 0)


def test_copies_of_one_row_in_two_clusters_score_zero():
    X = np.repeat([[0.3, 0.7], [9.1, 4.3]], [4, 3], axis=0)
    values = score(X, [np.array([0, 0, 1, 1, 2, 2, 2])])[0]
    assert values == pytest.approx([0, 0, 0, 0, 1, 1, 1], abs=1e-6)


def test_a_shift_far_from_the_origin_changes_nothing():
    X, sets = blobs(200), random_sets(200, 2)
    np.testing.assert_allclose(score(X + 1e6, sets), score(X, sets), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_samples", [2047, 2048, 2049])
def test_a_tile_more_or_less_equals_scikit_learn(n_samples):
    X, sets = blobs(n_samples), random_sets(n_samples, 1, noise=False)
    expected = [by_sklearn(X, labels) for labels in sets]
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("height", [1, 2, 5, 64])
@pytest.mark.parametrize("width", [1, 2, 7, 8, 63, 64])
def test_sizes_of_blocks_and_tiles_do_not_matter(monkeypatch, width, height):
    X, sets = blobs(64), random_sets(64)
    expected = score(X, sets)
    monkeypatch.setattr(silhouette, "TILE_COLUMNS", width)
    monkeypatch.setattr(silhouette, "BLOCK_ROWS", height)
    monkeypatch.setattr(joint, "RUN", 3)
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-12)


def test_blocks_shrink_where_clusters_are_many(monkeypatch):
    X, sets = blobs(300), random_sets(300, 3, n_clusters=120)
    expected = score(X, sets)
    groups = joint.joint_groups([partition(labels) for labels in sets], 2048, float)
    roomy = silhouette._block_rows(groups)
    monkeypatch.setattr(silhouette, "SUMS_BYTES", 30_000)
    assert 1 <= silhouette._block_rows(groups) < 10 < roomy
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-12)


def test_many_clusters_in_many_sets_equal_scikit_learn():
    """Nearly every row is a joint group of its own."""
    X, sets = blobs(700), random_sets(700, 9, n_clusters=300)
    expected = [by_sklearn(X, labels) for labels in sets]
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-9)


def test_joint_groups_stay_apart_where_their_keys_overflow():
    """255 clusters and noise are 8 bits a set: 16 sets do not fit 64 bits."""
    rng = np.random.default_rng(0)
    labels, others = (rng.permutation(np.arange(765) % 255) for _ in range(2))
    sets = [labels] + [others] * 15
    X = blobs(765)
    expected = [by_sklearn(X, labels)] + [by_sklearn(X, others)] * 15
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-9)


def test_rows_that_are_noise_everywhere_cost_nothing():
    parts = [partition(np.array(labels)) for labels in ([-1, 0, -1, 1, 0], [-1, -1, -1, 1, 1])]
    groups = joint.joint_groups(parts, 2, float)
    assert sorted(groups.order) == [1, 3, 4]
    assert [(tile.start, tile.stop) for tile in groups.tiles] == [(0, 2), (2, 3)]


def test_a_sampled_row_has_the_value_it_has_among_all():
    X, sets = blobs(3000), random_sets(3000)
    rows = np.sort(np.random.default_rng(3).choice(3000, 700, replace=False))
    values = score(X, sets, rows)
    expected = np.array([by_sklearn(X, labels)[rows] for labels in sets])
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6)
    assert np.nanmean(values, axis=1) == pytest.approx(np.nanmean(expected, axis=1), abs=1e-8)


def test_single_precision_serves_only_samples():
    X, sets = blobs(3000), random_sets(3000, 1)
    everything = score(X, sets)[:, :-1]
    sample = score(X, sets, np.arange(2999))
    assert 0 < np.nanmax(np.abs(everything - sample)) < 1e-6


def test_values_do_not_depend_on_threads():
    X, sets = blobs(1500), random_sets(1500)
    np.testing.assert_array_equal(score(X, sets, threads=4), score(X, sets, threads=1))


def test_values_do_not_depend_on_the_other_label_sets():
    X, sets = blobs(600), random_sets(600, 6)
    alone = np.concatenate([score(X, [labels]) for labels in sets])
    np.testing.assert_allclose(score(X, sets), alone, rtol=0, atol=1e-12)


def test_every_row_is_told_as_done():
    X, sets = blobs(700), [np.r_[np.full(300, -1), np.arange(400) % 3]]
    done = []
    parts = [partition(labels) for labels in sets]
    silhouettes(X, parts, np.arange(700), threads=2, advance=done.append)
    assert sum(done) == 700
    assert len(done) > 2
