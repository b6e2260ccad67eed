"""Labels and core rows are those of scikit-learn's DBSCAN, at every point of a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

from segrun.algorithms.native import AmbiguousError, estimators
from segrun.algorithms.native.dbscan import fit_grid

pytestmark = pytest.mark.heavy

KIT = [(eps, min_samples) for min_samples in (10, 50, 100) for eps in (0.3, 0.5, 0.7)]


def assert_equal(X, grid, n_threads=2, refused=0, **options):
    """Compare all points; exactly `refused` of them may be left to scikit-learn."""
    outcomes = fit_grid(X, grid, n_threads, **options)
    n_refused = 0
    for eps, min_samples in grid:
        try:
            labels, cores = next(outcomes)
        except AmbiguousError:
            n_refused += 1
            continue
        expected = DBSCAN(eps=eps, min_samples=min_samples).fit(X)
        assert labels.dtype == cores.dtype == np.int64
        np.testing.assert_array_equal(cores, expected.core_sample_indices_)
        np.testing.assert_array_equal(labels, expected.labels_)
    assert n_refused == refused
    with pytest.raises(StopIteration):
        next(outcomes)


def blobs(n_samples, n_features, spread):
    return make_blobs(n_samples, n_features, centers=9, cluster_std=spread, random_state=0)[0]


def with_constants(X):
    X[:, ::2] = [3.7, 0, -1e3]
    return X


def with_far(X, factor, step=100):
    X[::step] *= factor
    return X


def twice_far(X):
    X[7] = X[8] = 1e30
    return with_far(X, 1e12)


def two_groups(X):
    X[::2] += 1e6
    return X


def signed(X, rng):
    return np.where(rng.uniform(size=X.shape) < 0.5, -X, X)


#: Rows, and a grid that tells something about them.
KINDS = {
    "blobs": (
        lambda rng: StandardScaler().fit_transform(blobs(3000, 21, 2)),
        [(0.8, 5), (1.2, 20), (0.8, 5), (2.0, 3)],
    ),
    "tight blobs": (
        lambda rng: blobs(3000, 8, 1e-3),
        [(1e-3, 5), (4e-3, 20), (0.1, 5), (50.0, 3)],
    ),
    "uniform": (lambda rng: rng.uniform(size=(2500, 21)), [(1.2, 5), (1.4, 30), (1.6, 100)]),
    "one dimension": (lambda rng: rng.normal(size=(3000, 1)), [(1e-3, 3), (0.01, 10), (0.5, 1200)]),
    "two dimensions": (
        lambda rng: rng.normal(size=(4000, 2)),
        [(0.02, 3), (0.05, 10), (0.3, 200)],
    ),
    "64 dimensions": (lambda rng: blobs(1500, 64, 1), [(9.0, 5), (10.5, 10), (11.5, 40)]),
    "constant columns": (
        lambda rng: with_constants(rng.normal(size=(1000, 6))),
        [(0.1, 3), (0.3, 10)],
    ),
    "only constants": (lambda rng: np.full((300, 3), 0.1), [(0.1, 3), (0.3, 301)]),
    "duplicates": (
        lambda rng: rng.normal(size=(60, 5))[rng.integers(60, size=5000)],
        [(0.5, 3), (1.0, 100), (1.5, 500)],
    ),
    "duplicates in 21 dimensions": (
        lambda rng: rng.normal(size=(300, 21))[rng.integers(300, size=4000)],
        [(3.0, 15), (4.0, 60)],
    ),
    "signed zeros": (
        lambda rng: signed(rng.integers(-1, 2, size=(200, 3)) * 1.0, rng),
        [(0.5, 5), (1.0, 20)],
    ),
    "far from the origin": (
        lambda rng: rng.normal(size=(2000, 3)) + 1e6,
        [(0.1, 4), (0.2, 10)],
    ),
    "two far groups": (lambda rng: two_groups(rng.normal(size=(2000, 3))), [(0.1, 4), (0.3, 10)]),
    "outliers": (lambda rng: with_far(rng.normal(size=(2000, 21)), 1e3), [(3.0, 4), (4.0, 20)]),
    "far outliers": (lambda rng: twice_far(rng.normal(size=(2000, 4))), [(0.2, 4), (0.4, 20)]),
    "noise": (lambda rng: rng.normal(size=(1000, 21)) * 100, [(0.5, 2), (1.0, 5)]),
    "one cluster": (
        lambda rng: rng.normal(size=(1500, 7)),
        [(50.0, 2), (60.0, 1500), (70.0, 1501)],
    ),
    "tiny": (lambda rng: rng.normal(size=(1500, 3)) * 1e-30, [(1e-31, 4), (3e-31, 10)]),
    "huge": (lambda rng: rng.normal(size=(1500, 3)) * 1e30, [(1e29, 4), (3e29, 10)]),
    "tiny eps": (lambda rng: rng.normal(size=(500, 3)), [(1e-30, 1), (1e-5, 2)]),
    "huge eps": (lambda rng: rng.normal(size=(500, 3)), [(0.2, 4), (1e30, 2)]),
}


def some(kind, seed):
    rows, grid = KINDS[kind]
    return rows(np.random.default_rng(seed)), grid


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_scikit_learns(kind):
    assert_equal(*some(kind, 0))


@pytest.mark.parametrize("kind", ["blobs", "uniform", "duplicates", "outliers", "one cluster"])
def test_neither_threads_nor_room_matter(kind):
    X, grid = some(kind, 1)
    notes = []
    expected = list(fit_grid(X, grid, 1))
    for n_threads in (2, 3):
        again = list(fit_grid(X, grid, n_threads))
        np.testing.assert_equal(again, expected)
    for n_threads in (1, 2):
        again = list(fit_grid(X, grid, n_threads, budget=0, note=notes.append))
        np.testing.assert_equal(again, expected)
    assert "searched three times" in "".join(notes)


@pytest.mark.parametrize("n_features", [1, 2, 3, 21])
def test_integers_with_ties_at_eps(n_features):
    rng = np.random.default_rng(n_features)
    # sqrt(2) * sqrt(2) is above 2, and sqrt(5) * sqrt(5) too.
    grid = [(1.0, 3), (2**0.5, 5), (1.5, 5), (2.0, 20), (5**0.5, 30), (3.0, 100)]
    assert_equal(rng.integers(0, 3, size=(1000, n_features)) * 1.0, grid)
    assert_equal(rng.integers(-40, 41, size=(2000, n_features)) * 0.25, grid)


def test_roots_that_round_down_are_left_to_scikit_learn():
    """In scikit-learn's tree, sqrt(3) <= eps may hold although 3 <= eps * eps does not."""
    X = np.indices((4, 4, 4)).reshape(3, -1).T * 1.0
    assert_equal(X, [(1.0, 7), (3**0.5, 20), (3**0.5, 40), (2.0, 30)], refused=1)
    # Beyond 15 features there is no tree.
    X = np.random.default_rng(0).integers(0, 2, size=(500, 16)) * 1.0
    assert_equal(X, [(1.0, 2), (3**0.5, 5), (2.0, 20)])


def test_decimals_with_ties_at_eps_are_left_to_scikit_learn():
    X = np.random.default_rng(0).integers(0, 30, size=(500, 2)) * 0.1
    assert_equal(X, [(0.05, 3), (0.1, 3), (0.3, 30), (0.35, 10)], refused=2)


def test_a_tie_that_changes_nothing_is_decided():
    X = np.array([0.0, 0.1, 0.2]).repeat(10)[:, None]
    assert_equal(X, [(0.1, 3), (0.1, 25)], refused=2)
    assert_equal(np.append(X, [[0.05]] * 10 + [[0.15]] * 10, axis=0), [(0.1, 3)])
    assert_equal(np.append(X, [[0.05]], axis=0), [(0.1, 3), (0.05, 12)], refused=2)


def test_lengths_that_scikit_learn_loses_eps_in_are_left_to_it():
    X = np.random.default_rng(0).normal(size=(200, 21)) + 1e6
    with pytest.raises(AmbiguousError):
        next(fit_grid(X, [(0.1, 4)], 2))


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5, 11, 12, 63, 64, 65, 127, 128, 129])
def test_few_rows(n_samples):
    X = np.random.default_rng(n_samples).normal(size=(n_samples, 3))
    assert_equal(X, [(0.5, 1), (0.5, 2), (1.0, 3), (9.0, n_samples), (9.0, n_samples + 1)], 3)


def matrices(elements):
    shapes = st.tuples(st.integers(1, 80), st.integers(1, 18))
    return arrays.arrays(np.float64, shapes, elements=elements)


@given(
    matrices(st.integers(-3, 3).map(float)),
    st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.5]), st.integers(1, 9)), max_size=5),
)
def test_any_integers(X, grid):
    assert_equal(X, grid)


def assert_never_wrong(X, grid):
    """Compare those points that are not left to scikit-learn."""
    try:
        outcomes = fit_grid(X, grid, 2)
    except AmbiguousError:
        return
    for eps, min_samples in grid:
        try:
            labels, cores = next(outcomes)
        except AmbiguousError:
            continue
        expected = DBSCAN(eps=eps, min_samples=min_samples).fit(X)
        np.testing.assert_array_equal(cores, expected.core_sample_indices_)
        np.testing.assert_array_equal(labels, expected.labels_)


@given(
    matrices(st.floats(-100, 100, width=32)),
    st.lists(st.tuples(st.floats(0.01, 300), st.integers(1, 9)), max_size=5),
)
def test_any_numbers(X, grid):
    assert_never_wrong(X, grid)


@given(
    matrices(st.integers(-2, 2).map(lambda value: value * 0.1)),
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.5]), st.integers(1, 30)), max_size=5),
)
def test_any_decimals(X, grid):
    assert_never_wrong(X, grid)


def test_the_caller_is_told_of_a_search_in_vain():
    notes, fractions = [], []
    X = np.random.default_rng(0).uniform(size=(15_000, 21))
    list(fit_grid(X, [(1.5, 5)], 1, note=notes.append, progress=fractions.append))
    assert len(notes) == 1
    assert notes[0].endswith("% of all pairs have to be compared")
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_rows_must_be_finite():
    with pytest.raises(ValueError, match="finite"):
        fit_grid(np.array([[np.nan]]), [(1.0, 1)], 1)


def test_magnitudes_beyond_floats_are_left_to_scikit_learn():
    with pytest.raises(AmbiguousError):
        fit_grid(np.array([[1e200], [0.0]]), [(1.0, 1)], 1)


def test_rows_are_not_changed_and_may_be_read_only():
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(300, 4)))
    before = X.copy()
    X.setflags(write=False)
    assert_equal(X, [(0.5, 4)])
    np.testing.assert_array_equal(X, before)


def test_real_customers(real_X):
    assert_equal(real_X("none"), KIT)


@pytest.mark.slow
def test_real_customers_replicated(real_X):
    X = real_X("x10")
    assert len(X) == 42_560
    assert_equal(X, KIT)
    expected = list(fit_grid(X, KIT, 2))
    np.testing.assert_equal(list(fit_grid(X, KIT, 2, budget=0)), expected)


@pytest.mark.slow
def test_some_points_of_63840_rows(real_X):
    X = real_X("x15")
    assert len(X) == 63_840
    assert_equal(X, [(0.3, 10), (0.5, 50), (0.7, 100)])


def test_two_eps_that_are_nearly_equal_have_scikit_learns_labels():
    X = (np.arange(200) * 0.1)[:, None]
    models = [estimators.DBSCAN(eps=eps, min_samples=2) for eps in (np.nextafter(0.1, 0), 0.1)]
    for model in estimators.DBSCAN.fit_together(models, X):
        expected = DBSCAN(eps=model.eps, min_samples=2).fit(X)
        assert np.array_equal(model.labels_, expected.labels_)
