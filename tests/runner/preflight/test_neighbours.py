"""Neighbours are counted from a sample as they are."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from segrun.runner.preflight.neighbours import count_neighbours


def blobs(n_samples, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_features)) + rng.integers(0, 4, (n_samples, 1)) * 5.0


@pytest.mark.heavy
@pytest.mark.parametrize("n_samples", [1, 2, 255, 256, 257, 3000])
def test_counts_of_few_rows_are_those_of_the_rows(n_samples):
    X = blobs(n_samples)
    found = count_neighbours(X, [2.0, 0.5, 0.5, 1.0], seed=0)
    assert found.eps.tolist() == [0.5, 1.0, 2.0]
    for eps in (0.5, 1.0, 2.0):
        near = NearestNeighbors(radius=eps).fit(X).radius_neighbors(X, return_distance=False)
        true = np.array([len(rows) for rows in near])
        if n_samples <= 256:
            assert np.array_equal(np.sort(found.counts[found.eps == eps][0]), np.sort(true))
        assert found.mean(eps) == pytest.approx(true.mean(), rel=0.2)
        assert found.core_share(eps, 10) == pytest.approx((true >= 10).mean(), abs=0.1)


@pytest.mark.heavy
def test_counts_of_many_rows_come_from_some_of_them_and_repeat():
    X = blobs(150_000, 2)
    found = count_neighbours(X, [0.3], seed=0)
    some = np.random.default_rng(1).choice(len(X), 100, replace=False)
    near = NearestNeighbors(radius=0.3).fit(X).radius_neighbors(X[some], return_distance=False)
    assert found.mean(0.3) == pytest.approx(np.mean([len(rows) for rows in near]), rel=0.2)
    assert np.array_equal(found.counts, count_neighbours(X, [0.3], seed=0).counts)


def test_of_many_eps_the_next_larger_one_that_was_counted_stands_for_one():
    X = blobs(1000)
    wanted = np.linspace(0.1, 2.0, 40)
    found = count_neighbours(X, wanted, seed=0)
    assert len(found.eps) == 8
    assert found.eps[-1] == 2.0
    means = [found.mean(eps) for eps in wanted]
    assert means == sorted(means)
