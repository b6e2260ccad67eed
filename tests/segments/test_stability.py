"""Stability against brute force, and on data of which the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.algorithms import points
from segrun.config import StabilityConfig
from segrun.rundir.customers import Customers
from segrun.segments.clustering import Clustering
from segrun.segments.stability import best_jaccard, grid_stability, stability

LABELS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1, max_size=30)


@pytest.mark.heavy
@given(LABELS)
def test_the_best_jaccard_is_that_of_sets(rows):
    own, other = (np.array(labels) for labels in zip(*rows, strict=True))

    def members(labels, label):
        return set(np.flatnonzero(labels == label).tolist())

    expected = {}
    for label in set(own.tolist()) - {-1}:
        mine = members(own, label)
        theirs = [members(other, found) for found in set(other.tolist()) - {-1}]
        expected[label] = max((len(mine & o) / len(mine | o) for o in theirs), default=0.0)
    assert best_jaccard(own, other) == pytest.approx(expected)


def clustering(composed, Z, *overrides):
    experiment = composed("backend=sklearn", *overrides)
    (point,) = points(experiment.algo)
    customers = Customers(
        "id", np.arange(len(Z)).astype(str).astype(object), {"a": Z[:, 0], "b": Z[:, 1]}
    )
    return Clustering(experiment, point, customers, np.zeros(len(Z), np.int64), (), Z, None)


def blobs(n_each=60):
    rng = np.random.default_rng(0)
    Z = np.concatenate([rng.normal(centre, 0.1, (n_each, 2)) for centre in (0, 5, 10)])
    return Z, np.repeat([0, 1, 2], n_each)


@pytest.mark.heavy
def test_plain_clusters_are_found_again(composed):
    Z, labels = blobs()
    found = replace(clustering(composed, Z, "algo.params.n_clusters=3", "algo.params.tol=1e-4",
                               "algo.params.n_init=5"), labels=labels)  # fmt: skip
    stable = stability(found, StabilityConfig(refits=4))
    np.testing.assert_allclose(stable.rand, 1)
    assert len(stable.rand) == 4
    assert [stable.mean(label) for label in (0, 1, 2)] == [1, 1, 1]
    assert not any(stable.dissolves(label) for label in (0, 1, 2))


@pytest.mark.heavy
def test_a_segment_that_is_none_dissolves(composed):
    Z, labels = blobs()
    # Somebody calls a random half of the last blob a segment of its own.
    labels[120::2] = 3
    found = replace(clustering(composed, Z, "algo.params.n_clusters=3", "algo.params.tol=1e-4",
                               "algo.params.n_init=5"), labels=labels)  # fmt: skip
    stable = stability(found, StabilityConfig(refits=4))
    assert stable.mean(0) == 1
    assert stable.mean(3) == pytest.approx(0.5, abs=0.1)
    assert stable.rand.mean() < 0.9


@pytest.mark.heavy
def test_a_thin_sample_is_not_asked_for_density(composed):
    Z, labels = blobs()
    overrides = ("algo=dbscan", "algo.params.eps=0.5", "algo.params.min_samples=5")
    found = replace(clustering(composed, Z, *overrides), labels=labels)
    thin = stability(found, StabilityConfig(refits=2, max_rows=80))
    assert thin.reason == "a sample of 80 of 180 rows is too thin for dbscan"
    assert len(stability(found, StabilityConfig(refits=2, max_rows=100)).rand) == 2


@pytest.mark.heavy
def test_without_refits_there_is_a_reason(composed):
    Z, labels = blobs()
    overrides = ("algo.params.n_clusters=3", "algo.params.tol=1e-4")
    found = replace(clustering(composed, Z, *overrides), labels=labels)
    assert stability(found, StabilityConfig(refits=0)).reason == "segments.stability.refits=0"
    # k-means needs as many rows as clusters.
    overrides = ("algo.params.n_clusters=170", "algo.params.tol=1e-4")
    found = replace(clustering(composed, Z, *overrides), labels=labels)
    assert "no fit to a sample of 144 rows" in stability(found, StabilityConfig(refits=2)).reason


@pytest.mark.heavy
def test_among_points_the_true_number_is_the_most_stable(composed):
    Z, _ = blobs()
    experiment = composed("backend=sklearn", "algo.params.tol=1e-4", "algo.params.n_init=3")
    from sklearn.cluster import KMeans

    by_slug = {f"k={k}": KMeans(k, n_init=3, random_state=0).fit_predict(Z) for k in (2, 3, 7)}
    params = {slug: {"n_clusters": int(slug[2:]), "n_init": 3} for slug in by_slug}
    found = grid_stability(experiment, Z, by_slug, params)
    assert max(found, key=found.__getitem__) == "k=3"
    assert found["k=3"] == pytest.approx(1)
