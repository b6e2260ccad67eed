"""Distances to clusters: those that brute force gives, and not a search for each cluster."""

import time

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN

from segrun.using.placing.assignment import to_centres, to_cores


@pytest.mark.heavy
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("n_columns", [2, 20])
def test_distances_to_cores_are_those_of_brute_force(metric, n_columns):
    rng = np.random.default_rng(3)
    Z = np.zeros((300, n_columns))
    Z[:, :2] = rng.uniform(0, 6, (300, 2))
    model = DBSCAN(eps=0.35, min_samples=4, metric=metric).fit(Z)
    owners = model.labels_[model.core_sample_indices_]
    names = np.unique(owners)
    assert len(names) > 5
    new = Z + rng.normal(0, 0.3, Z.shape)
    # Any label, so that the nearest core row is often another cluster's.
    labels = rng.choice([-1, *names], len(new))
    nearest = cdist(new, model.components_, "cityblock" if metric == "manhattan" else metric)
    own = owners[None, :] == labels[:, None]
    own[labels == -1] = True
    expected = np.where(own, nearest, np.inf).min(axis=1)
    assert to_cores(model, new, labels) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert to_cores(model, new[:0], labels[:0]).shape == (0,)


@pytest.mark.heavy
def test_without_a_core_row_there_is_no_distance():
    Z = np.arange(6.0).reshape(3, 2)
    model = DBSCAN(eps=0.1, min_samples=3).fit(Z)
    assert np.isnan(to_cores(model, Z, model.labels_)).all()


def test_distances_to_centres_are_those_of_brute_force():
    rng = np.random.default_rng(3)
    centres, Z = rng.normal(size=(7, 4)), rng.normal(size=(200, 4))
    names = np.array([0, 1, 3, 4, 6, 8, 9])
    labels = rng.choice([-1, *names], len(Z))
    own = (labels[:, None] == names) | (labels[:, None] == -1)
    expected = np.where(own, cdist(Z, centres), np.inf).min(axis=1)
    assert to_centres(names, centres, Z, labels) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(to_centres(names[:0], centres[:0], Z, labels)).all()


def test_noise_is_not_searched_for_in_each_cluster():
    rng = np.random.default_rng(3)
    places = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0)), axis=-1).reshape(-1, 2)
    model = DBSCAN(eps=0.2, min_samples=3).fit(np.repeat(places, 3, axis=0))
    assert len(np.unique(model.labels_)) == 1600
    Z = rng.uniform(0, 40, (2000, 2))
    start = time.process_time()
    to_cores(model, Z, np.full(len(Z), -1))
    # A search in each of them takes 2 s, one in all 0.01 s.
    assert time.process_time() - start < 0.5
