"""Silhouettes against scikit-learn, whatever the shape of the label sets."""

import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from segrun.evaluation import distances, silhouette
from segrun.evaluation.partition import joint_groups, partition
from segrun.evaluation.silhouette import silhouettes

pytestmark = pytest.mark.heavy

#: Both ways to sum distances must give the same, whatever would be chosen by size.
ROADS = ["products", "compiled"]


def score(X, label_sets, rows=None, threads=1, road="products"):
    rows = np.arange(len(X)) if rows is None else rows
    parts = [partition(labels) for labels in label_sets]
    limit = 0 if road == "compiled" else np.inf
    with patch.object(silhouette, "COMPILED_DISTANCES", limit):
        return silhouettes(X, parts, rows, threads=threads, advance=lambda n_rows: None)


def by_sklearn(X, labels):
    """Silhouettes over the rows that are in a cluster, NaN elsewhere."""
    values = np.full(len(X), np.nan)
    inside = labels >= 0
    values[inside] = silhouette_samples(X[inside], labels[inside])
    return values


def by_differences(X, labels):
    """The same from distances that are exact to the last bits, where its own are not."""
    values = np.full(len(X), np.nan)
    inside = labels >= 0
    distances = cdist(X[inside], X[inside])
    values[inside] = silhouette_samples(distances, labels[inside], metric="precomputed")
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


@pytest.mark.parametrize("road", ROADS)
def test_four_points_on_a_line_by_hand(road):
    X = np.array([[0.0], [1.0], [5.0], [7.0]])
    values = score(X, [np.array([0, 0, 1, 1])], road=road)[0]
    # Row 0: a = 1, b = (5 + 7) / 2 = 6.  Row 2: a = 2, b = (5 + 4) / 2 = 4.5.
    assert values == pytest.approx([5 / 6, 4 / 5, 2.5 / 4.5, 4.5 / 6.5], abs=3e-7)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("n_features", [1, 2, 7, 21, 64, 300])
def test_values_of_every_row_equal_scikit_learn(n_features, road):
    X, sets = blobs(500, n_features), random_sets(500)
    expected = [by_sklearn(X, labels) for labels in sets]
    tolerance = 1e-9 if road == "products" else 2e-7
    np.testing.assert_allclose(score(X, sets, road=road), expected, rtol=0, atol=tolerance)


@given(st.data(), st.sampled_from(ROADS))
def test_any_small_label_sets_equal_scikit_learn(data, road):
    n_samples = data.draw(st.integers(3, 25))
    # Whole numbers: copies of a row are frequent, and scikit-learn's own distances exact.
    X = data.draw(arrays(float, (n_samples, 2), elements=st.integers(-4, 4).map(float)))
    labels = arrays(np.int64, n_samples, elements=st.integers(-1, 4)).filter(scorable)
    sets = data.draw(st.lists(labels, min_size=1, max_size=4))
    expected = [by_sklearn(X, labels) for labels in sets]
    # By products, a copy of a row is at distance zero to within 1e-7 only.
    np.testing.assert_allclose(score(X, sets, road=road), expected, rtol=0, atol=1e-6)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(20, 400),
    st.integers(1, 64),
    st.sampled_from([0, 1e-6, 1e-3, 1]),
    st.sampled_from([1e-8, 1, 1e12]),
)
def test_tight_clusters_far_from_each_other_equal_exact_distances(
    seed, n_samples, n_features, tightness, unit
):
    """The compiled road alone: products, as scikit-learn's own, lose distances this small."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 12, n_samples)
    X = rng.normal(size=(12, n_features))[place] * 10
    X = unit * (X + tightness * rng.normal(size=X.shape))
    sets = [place, place // 2, rng.integers(-1, 9, n_samples), np.arange(n_samples) // 2]
    sets = [labels for labels in sets if scorable(labels)]
    expected = [by_differences(X, labels) for labels in sets]
    np.testing.assert_allclose(score(X, sets, road="compiled"), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("road", ROADS)
def test_the_only_row_of_a_cluster_scores_zero(road):
    values = score(blobs(6), [np.array([0, 0, 0, 1, 2, 2])], road=road)[0]
    assert values[3] == 0
    assert np.all(values[[0, 1, 2, 4, 5]] != 0)


@pytest.mark.parametrize("road", ROADS)
def test_copies_of_one_row_in_two_clusters_score_zero(road):
    X = np.repeat([[0.3, 0.7], [9.1, 4.3]], [4, 3], axis=0)
    values = score(X, [np.array([0, 0, 1, 1, 2, 2, 2])], road=road)[0]
    assert values == pytest.approx([0, 0, 0, 0, 1, 1, 1], abs=1e-6)


@pytest.mark.parametrize("road", ROADS)
def test_rows_that_are_all_the_same_score_zero(road):
    X, labels = np.full((300, 3), 0.1), np.arange(300) % 4
    np.testing.assert_array_equal(score(X, [labels], road=road), 0)


@pytest.mark.parametrize("road", ROADS)
def test_a_shift_far_from_the_origin_changes_nothing(road):
    X, sets = blobs(200), random_sets(200, 2)
    shifted = score(X + 1e6, sets, road=road)
    np.testing.assert_allclose(shifted, score(X, sets), rtol=0, atol=3e-7)


def test_equal_distances_do_not_err_to_one_side():
    """Corners of a simplex: each of 3,000 distances is the same, and so is their rounding."""
    X, labels = np.repeat(np.eye(3), 1000, axis=0), np.repeat([0, 1, 2], 1000)
    X[:, 0] *= 0.7
    expected = by_differences(X, labels % 2)
    values = score(X, [labels % 2], road="compiled")[0]
    np.testing.assert_allclose(values, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("n_samples", [3, 63, 64, 65, 66, 67, 127, 128, 129, 255, 257, 321])
def test_blocks_of_lanes_and_spans_of_columns_more_or_less(n_samples):
    X, sets = blobs(n_samples), [np.arange(n_samples) % 2, np.arange(n_samples) // 5 % 3 - 1]
    sets = [labels for labels in sets if scorable(labels)]
    expected = [by_sklearn(X, labels) for labels in sets]
    np.testing.assert_allclose(score(X, sets, road="compiled"), expected, rtol=0, atol=3e-7)


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
    monkeypatch.setattr(distances, "TILE_COLUMNS", width)
    monkeypatch.setattr(distances, "BLOCK_ROWS", height)
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-12)


def test_blocks_shrink_where_clusters_are_many(monkeypatch):
    X, sets = blobs(300), random_sets(300, 3, n_clusters=120)
    expected = score(X, sets)
    groups = joint_groups([partition(labels) for labels in sets])
    roomy = distances.product_sums(X, groups, np.arange(300)).height
    monkeypatch.setattr(distances, "SUMS_BYTES", 30_000)
    assert 1 <= distances.product_sums(X, groups, np.arange(300)).height < 10 < roomy
    np.testing.assert_allclose(score(X, sets), expected, rtol=0, atol=1e-12)


def test_compiled_blocks_shrink_and_at_last_give_way(monkeypatch):
    X, sets = blobs(300), random_sets(300, 3, n_clusters=120)
    groups = joint_groups([partition(labels) for labels in sets])
    expected = score(X, sets, road="compiled")
    assert distances.compiled_sums(X, groups, np.arange(300)).height == 256
    monkeypatch.setattr(distances, "SUMS_BYTES", 8 * 64 * groups.n_clusters)
    assert distances.compiled_sums(X, groups, np.arange(300)).height == 64
    np.testing.assert_array_equal(score(X, sets, road="compiled"), expected)
    monkeypatch.setattr(distances, "SUMS_BYTES", 8 * 64 * groups.n_clusters - 1)
    np.testing.assert_array_equal(score(X, sets, road="compiled"), score(X, sets))


@pytest.mark.parametrize("road", ROADS)
def test_many_clusters_in_many_sets_equal_scikit_learn(road):
    """Nearly every row is a joint group of its own."""
    X, sets = blobs(700), random_sets(700, 9, n_clusters=300)
    expected = [by_sklearn(X, labels) for labels in sets]
    np.testing.assert_allclose(score(X, sets, road=road), expected, rtol=0, atol=3e-7)


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
    groups = joint_groups(parts)
    assert sorted(groups.order) == [1, 3, 4]
    assert groups.runs(2).tolist() == [0, 1, 2]


@pytest.mark.parametrize("road", ROADS)
def test_a_sampled_row_has_the_value_it_has_among_all(road):
    X, sets = blobs(3000), random_sets(3000)
    rows = np.sort(np.random.default_rng(3).choice(3000, 700, replace=False))
    values = score(X, sets, rows, road=road)
    np.testing.assert_allclose(values, score(X, sets, road=road)[:, rows], rtol=0, atol=1e-12)
    expected = np.array([by_sklearn(X, labels)[rows] for labels in sets])
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6)


def test_compiled_values_do_not_depend_on_the_rows_beside_them():
    X, sets = blobs(500), random_sets(500)
    everything = score(X, sets, road="compiled")
    rows = np.array([499, 3, 4, 77])
    np.testing.assert_array_equal(score(X, sets, rows, road="compiled"), everything[:, rows])


@pytest.mark.parametrize("road", ROADS)
def test_values_do_not_depend_on_threads(road):
    X, sets = blobs(1500), random_sets(1500)
    several = [score(X, sets, threads=threads, road=road) for threads in (1, 2, 4)]
    np.testing.assert_array_equal(several[1], several[0])
    np.testing.assert_array_equal(several[2], several[0])


@pytest.mark.parametrize(("road", "tolerance"), [("products", 1e-12), ("compiled", 2e-7)])
def test_values_do_not_depend_on_the_other_label_sets(road, tolerance):
    X, sets = blobs(600), random_sets(600, 6)
    alone = np.concatenate([score(X, [labels], road=road) for labels in sets])
    np.testing.assert_allclose(score(X, sets, road=road), alone, rtol=0, atol=tolerance)


def test_many_distances_are_summed_by_the_kernel_whatever_is_noise(monkeypatch):
    """Otherwise one noisy label set would change the values of the others."""
    X, labels = blobs(200), np.r_[np.full(150, -1), np.arange(50) % 2]
    expected = score(X, [labels], road="compiled")
    monkeypatch.setattr(silhouette, "COMPILED_DISTANCES", 200 * 200)
    parts = [partition(labels)]
    found = silhouettes(X, parts, np.arange(200), threads=1, advance=lambda n_rows: None)
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, score(X, [labels]), equal_nan=True)


def test_few_rows_wait_for_no_compiler():
    code = (
        "import sys, numpy as np; from segrun.config import EvaluationConfig, SilhouetteConfig\n"
        "from segrun.evaluation.scores import evaluate\n"
        "X = np.random.default_rng(0).normal(size=(4256, 2))\n"
        "config = EvaluationConfig(SilhouetteConfig(50_000, 12_000), 0.5)\n"
        "evaluate(X, {'p': np.arange(4256) % 2}, config, 0); print('numba' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False"]


def test_every_row_is_told_as_done():
    X, sets = blobs(700), [np.r_[np.full(300, -1), np.arange(400) % 3]]
    done = []
    parts = [partition(labels) for labels in sets]
    silhouettes(X, parts, np.arange(700), threads=2, advance=done.append)
    assert sum(done) == 700
    assert len(done) > 2
