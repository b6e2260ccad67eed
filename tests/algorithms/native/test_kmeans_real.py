"""The kit's grid on the real features: scikit-learn's labels at every point."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import sklearn.cluster
from threadpoolctl import threadpool_limits

from segrun.algorithms.native.estimators import KMeans

pytestmark = pytest.mark.heavy

GRID = list(product((2, 3, 4, 5, 10, 15, 20, 25, 30), (1e-3, 1e-4, 1e-5)))


def assert_equal_labels(X, grid):
    models = KMeans.fit_together([KMeans(k, tol=tol, random_state=0) for k, tol in grid], X)
    for model in models:
        assert model.native_reason_ == ""
        with threadpool_limits(1):
            params = {"tol": model.tol, "random_state": 0}
            expected = sklearn.cluster.KMeans(model.n_clusters, **params).fit(X)
        assert np.array_equal(model.labels_, expected.labels_), (model.n_clusters, model.tol)
        assert model.n_iter_ == expected.n_iter_
        assert np.abs(model.cluster_centers_ - expected.cluster_centers_).max() < 1e-10
        assert model.inertia_ == pytest.approx(expected.inertia_, rel=1e-10)


@pytest.mark.parametrize("augmentation", ["none", "x10"])
def test_all_27_points(real_X, augmentation):
    assert_equal_labels(real_X(augmentation), GRID)


@pytest.mark.slow
def test_some_points_of_425600_rows(real_X):
    assert_equal_labels(real_X("x100"), [GRID[0], GRID[7], GRID[13], GRID[26]])
