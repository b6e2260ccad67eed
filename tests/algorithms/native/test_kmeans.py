"""The kernels' k-means is scikit-learn's: labels, iterations, centres."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits

from segrun.algorithms.native.estimators import KMeans
from segrun.algorithms.native.kmeans import KMeansFit, Start, fit_grid

pytestmark = pytest.mark.heavy

RNG = np.random.default_rng(7)
BLOBS, _ = make_blobs(3000, 6, centers=9, cluster_std=1.5, random_state=3)
TABLES = {
    "uniform, 21 features": RNG.uniform(size=(2500, 21)),
    "tight blobs": make_blobs(2000, 4, centers=8, cluster_std=1e-3, random_state=1)[0],
    "small integers": RNG.integers(0, 6, (800, 2)).astype(float),
    "integers": RNG.integers(0, 50, (2000, 5)).astype(float),
    "duplicated rows": np.repeat(RNG.normal(size=(120, 3)), 12, axis=0),
    "one feature": RNG.exponential(size=(3000, 1)),
    "64 features": RNG.normal(size=(1500, 64)) * np.linspace(0.1, 3, 64),
    "skewed": np.exp(RNG.normal(size=(4000, 7)) * 1.5),
    "outliers": np.vstack([RNG.normal(size=(2000, 5)), RNG.normal(size=(5, 5)) * 1e3]),
    "far from the origin": BLOBS + 1e6,
    "tiny": BLOBS * 1e-20,
    "65 rows": BLOBS[:65],
    "a constant feature": np.column_stack([BLOBS, np.full(len(BLOBS), 3.0)]),
}


def reference(X, **params):
    with threadpool_limits(1):
        return sklearn.cluster.KMeans(**params).fit(X)


def assert_same(model, X, **params):
    expected = reference(X, **params)
    assert np.array_equal(model.labels_, expected.labels_), params
    assert model.n_iter_ == expected.n_iter_
    scale = np.abs(X).max()
    assert np.abs(model.cluster_centers_ - expected.cluster_centers_).max() <= 1e-10 * scale
    spread = float(((X - X.mean(axis=0)) ** 2).sum())
    assert abs(model.inertia_ - expected.inertia_) <= 1e-9 * expected.inertia_ + 1e-14 * spread


@pytest.mark.parametrize("name", TABLES)
def test_a_grid_has_scikit_learns_labels(name):
    X = TABLES[name]
    grid = [
        {"n_clusters": k, "tol": tol, "random_state": 5}
        for k, tol in product((1, 2, 3, 5, 8, 21, 30), (1e-2, 1e-4, 0))
    ]
    models = KMeans.fit_together([KMeans(**params) for params in grid], X)
    for params, model in zip(grid, models, strict=True):
        assert_same(model, X, **params)


@pytest.mark.parametrize("name", ["uniform, 21 features", "64 features", "skewed", "outliers"])
def test_the_kernels_fit_what_has_no_ties(name):
    X = TABLES[name]
    models = [KMeans(n_clusters=k, tol=1e-4, random_state=0) for k in (2, 7, 20)]
    assert [m.native_reason_ for m in KMeans.fit_together(models, X)] == ["", "", ""]


@pytest.mark.parametrize(
    "params",
    [
        {"n_init": 5},
        {"init": "random"},
        {"init": "random", "n_init": 3, "max_iter": 4},
        {"init": BLOBS[:6]},
        {"max_iter": 1},
        {"max_iter": 7, "tol": 0},
        {"random_state": None, "init": BLOBS[10:16]},
        {"algorithm": "elkan"},
        {"init": lambda X, k, random_state: X[random_state.choice(len(X), k)], "n_init": 1},
    ],
)
def test_parameters_mean_what_they_mean_to_scikit_learn(params):
    params = {"n_clusters": 6, "random_state": 11, **params}
    assert_same(KMeans(**params).fit(BLOBS), BLOBS, **params)


def test_a_generator_of_the_users_is_drawn_from_as_scikit_learn_does():
    ours, theirs = np.random.RandomState(4), np.random.RandomState(4)
    for _ in range(2):
        model = KMeans(4, random_state=ours).fit(BLOBS)
        assert_same(model, BLOBS, n_clusters=4, random_state=theirs)


@pytest.mark.parametrize("seed", range(3))
def test_ties_of_centres_that_are_sums_of_many_rows_are_scikit_learns(seed):
    X = np.repeat([1.0, 3, 4, 10], [300, 300, 600, 300])[:, None]
    np.random.default_rng(seed).shuffle(X)
    params = {"n_clusters": 2, "init": np.array([[1.0], [4.0]]), "n_init": 1, "tol": 0}
    assert_same(KMeans(**params).fit(X), X, **params)


def test_clusters_without_rows_move_as_in_scikit_learn():
    start = np.vstack([BLOBS[:3], BLOBS[0] + 1e3, BLOBS[1] - 1e3])
    params = {"n_clusters": 5, "init": start, "n_init": 1}
    model = KMeans(**params).fit(BLOBS)
    assert model.native_reason_ == ""
    assert_same(model, BLOBS, **params)


def test_as_few_distinct_rows_as_clusters_or_fewer_warn_as_scikit_learn_does():
    X = np.repeat(np.arange(12.0).reshape(4, 3), 5, axis=0)
    for k in (4, 6):
        with pytest.warns(match="distinct clusters") if k > 4 else np.errstate():
            model = KMeans(k, random_state=0).fit(X)
        assert len(set(model.labels_)) == 4


@given(
    X=st.one_of(
        arrays(float, st.tuples(st.integers(3, 90), st.integers(1, 4)),
               elements=st.integers(-3, 3).map(float)),
        arrays(float, st.tuples(st.integers(3, 90), st.integers(1, 4)),
               elements=st.floats(-1e3, 1e3, width=32)),
    ),
    n_clusters=st.integers(1, 3),
    seed=st.integers(0, 100),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_any_small_table_has_scikit_learns_labels(X, n_clusters, seed):
    params = {"n_clusters": n_clusters, "random_state": seed, "n_init": 2}
    model = KMeans(**params).fit(X)
    assert np.array_equal(model.labels_, reference(X, **params).labels_)


def test_results_do_not_depend_on_threads():
    starts = [Start(k, 300, 1, "k-means++", 0) for k in (3, 9, 20)] * 2
    tols = [1e-4] * 3 + [1e-6] * 3
    X = TABLES["skewed"]
    found = [list(fit_grid(X, starts, tols, n_threads)) for n_threads in (1, 2, 3)]
    for one, *others in zip(*found, strict=True):
        assert isinstance(one, KMeansFit)
        for other in others:
            assert np.array_equal(one.labels, other.labels)
            assert np.array_equal(one.centers, other.centers)
            assert one.inertia == other.inertia


def test_wrong_parameters_are_refused_in_a_grid_as_alone():
    with pytest.raises(ValueError, match="max_iter"):
        list(KMeans.fit_together([KMeans(3, max_iter=0)], BLOBS))


def test_the_table_is_left_alone():
    X = BLOBS.copy()
    X.setflags(write=False)
    KMeans(5, random_state=0).fit(X)
    assert np.array_equal(X, BLOBS)


def test_tables_that_kernels_do_not_fit_are_scikit_learns():
    X = BLOBS.astype(np.float32)
    model = KMeans(3, random_state=0).fit(X)
    assert "float64" in model.native_reason_
    assert model.cluster_centers_.dtype == np.float32
    weighted = KMeans(3, random_state=0).fit(BLOBS, sample_weight=np.arange(len(BLOBS)))
    assert "weights" in weighted.native_reason_
