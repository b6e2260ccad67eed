"""Warnings worth having: each on data that deserve it, none on data that do not."""

import numpy as np
import pytest

from segrun.algorithms import points
from segrun.config import Outliers
from segrun.rundir.customers import Customers
from segrun.segments.cautions import between_shares, cautions
from segrun.segments.clustering import Clustering
from segrun.segments.members import place
from segrun.segments.population import population
from segrun.segments.stability import Stability

pytestmark = pytest.mark.heavy


@pytest.fixture
def told(composed):
    """told(labels, X, ...): the warnings of a clustering by their kind."""
    experiment = composed("algo.params.n_clusters=3", "algo.params.tol=1e-4", "transform=none")

    def warnings(labels, X=None, ids=None, replica=None, stable=None):
        labels = np.array(labels, dtype=np.int64)
        if X is None:
            rng = np.random.default_rng(0)
            X = labels[:, None] * [1.0, -1.0] + rng.normal(0, 0.1, (len(labels), 2))
        keys = np.arange(len(labels)) if ids is None else ids
        customers = Customers(
            "id", np.array(keys).astype(str).astype(object), {"Amount": X[:, 0], "Age": X[:, 1]},
            None if replica is None else np.array(replica),
        )  # fmt: skip
        (point,) = points(experiment.algo)
        found = Clustering(experiment, point, customers, labels, (), X, None)
        people = population(place(found, customers, {}, Outliers.drop), "size")
        return {w["kind"]: w["text"] for w in cautions(found, people, stable or Stability())}

    return warnings


def test_plain_segments_have_none(told):
    assert told([0] * 30 + [1] * 30 + [2] * 30) == {}


def test_all_noise(told):
    assert told([-1] * 1200) == {
        "all_noise": "All 1,200 rows are noise: there is no segment",
    }


@pytest.mark.parametrize(("n_large", "expected"), [(91, True), (90, False)])
def test_one_giant_segment(told, n_large, expected):
    found = told([4] * n_large + [0] * (100 - n_large))
    assert ("giant_segment" in found) is expected
    if expected:
        assert found["giant_segment"].startswith("Segment 0 holds 91 % of the rows (91 of 100)")


def test_many_tiny_ones(told):
    found = told(np.repeat(np.arange(40), 3).tolist() + [99] * 60)
    assert found["tiny_segments"].startswith("40 of 41 segments have fewer than 5 rows")
    assert "tiny_segments" not in told(np.repeat(np.arange(19), 3).tolist() + [99] * 60)


def test_copies_found_as_segments(told):
    """Ten copies of each customer: a segment of one customer's copies is no kind of customers."""
    ids, replica = np.tile(np.arange(9), 10), np.repeat(np.arange(10), 9)
    # Customers 0 to 6 are one segment, the copies of 7 and of 8 are one each.
    labels = np.where(ids < 7, 0, ids)
    found = told(labels, ids=ids, replica=replica)
    assert found["replicas"].startswith("2 of 3 segments are the copies of at most 3 customers")
    assert "up to 10 times" in found["replicas"]
    assert "replicas" not in told(np.where(ids < 5, 0, 1), ids=ids, replica=replica)
    # Without copies a small segment is only small.
    assert "replicas" not in told(np.where(np.arange(9) < 7, 0, 1), replica=[0] * 9)


def test_a_segment_of_one_customer(told):
    found = told([0] * 20 + [1] * 20 + [2])
    assert found["single_customer"].startswith("Segment 2 is a single customer, 40:")
    assert "4 segments are a single" in told([0] * 20 + [1, 2, 3, 4])["single_customers"]


def test_a_feature_that_makes_the_segments_alone(told):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    X = np.column_stack([1000.0 * labels + rng.normal(0, 10, 100), rng.normal(0, 1, 100)])
    found = told(labels, X=X)
    assert found["dominating_feature"].startswith(
        "Amount, which is not scaled (transform.scale=none) makes over 99 % of the differences"
    )


def test_shares_between_clusters_are_those_of_the_definition():
    rng = np.random.default_rng(1)
    Z, labels = rng.normal(size=(60, 3)), rng.integers(-1, 3, 60)
    inside = labels >= 0
    between = np.zeros(3)
    for label in range(3):
        own = Z[labels == label]
        between += len(own) * (own.mean(axis=0) - Z[inside].mean(axis=0)) ** 2
    np.testing.assert_allclose(between_shares(Z, labels), between / between.sum())


def test_segments_that_dissolve_and_stability_that_is_not_known(told):
    stable = Stability(
        {0: np.array([0.9, 0.8]), 1: np.array([0.5, 0.5]), 2: np.array([0.2, 0.9])}, np.ones(2)
    )
    found = told([0] * 9 + [1] * 8 + [2] * 7, stable=stable)
    assert "1 of 3 segments dissolve" in found["dissolving"]
    assert found["dissolving"].endswith(": 1")
    assert "because" in told([0, 0, 1, 1, 2, 2], stable=Stability(reason="because"))["stability"]


def test_of_thousands_of_segments_the_largest_are_described(told):
    labels = np.repeat(np.arange(250), np.arange(250) + 2)
    assert "200 largest segments are described; 50 more" in told(labels)["not_described"]
