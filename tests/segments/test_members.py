"""Who is in which segment, in which order, and who stands for it."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from segrun.algorithms import points
from segrun.config import Outliers
from segrun.errors import DataError
from segrun.rundir.customers import Customers
from segrun.segments.clustering import Clustering
from segrun.segments.columns import Column
from segrun.segments.members import medoids, place
from segrun.segments.population import ordered_labels


def test_medoids_are_the_rows_nearest_to_the_mean():
    rng = np.random.default_rng(5)
    Z, labels = rng.normal(size=(40, 3)), rng.integers(-1, 3, 40)
    ids = np.array([f"c{i % 20}" for i in range(40)], dtype=object)
    found = medoids(Z, labels, ids, 4)
    assert set(found) == {0, 1, 2}
    for label, nearest in found.items():
        own = np.flatnonzero(labels == label)
        distance = np.linalg.norm(Z[own] - Z[own].mean(axis=0), axis=1)
        in_order = list(dict.fromkeys(ids[own[np.argsort(distance, kind="stable")]]))
        assert nearest == in_order[:4]


def test_blocks_of_rows_have_the_medoids_of_all_rows_together(monkeypatch):
    rng = np.random.default_rng(6)
    Z, labels = rng.normal(size=(500, 21)), rng.integers(-1, 3, 500)
    ids = np.array([f"c{i}" for i in range(500)], dtype=object)
    whole = medoids(Z, labels, ids, 150)
    monkeypatch.setattr("segrun.segments.members._BLOCK_ROWS", 7)
    assert medoids(Z, labels, ids, 150) == whole


def test_by_size_the_largest_is_first_and_outliers_are_last():
    labels = np.array([5, -1, -1, -1, -1, 7, 7, 2, 2, 9])
    # Of two that are equally large the one whose first row comes first.
    assert ordered_labels(labels, [], "size") == [7, 2, 5, 9, -1]


def test_by_a_column_unknown_means_come_last():
    labels = np.array([0, 0, 1, 1, 2, 2])
    values = np.array([3.0, 5.0, np.nan, np.nan, 1.0, np.nan])
    assert ordered_labels(labels, [Column("Age", values, False)], "age") == [2, 0, 1]
    with pytest.raises(DataError, match=r"segments\.order_by: there is no column 'Aeg'.*'Age'"):
        ordered_labels(labels, [Column("Age", values, False)], "Aeg")


@pytest.fixture
def dense(composed):
    """Two dense clusters on a line, two rows of noise; three customers were set aside."""
    X = np.array([0, 0.1, 0.2, 5, 5.1, 5.2, 1.9, 3.4])[:, None]
    experiment = composed("algo=dbscan", "algo.params.eps=0.3", "algo.params.min_samples=2")
    model = DBSCAN(eps=0.3, min_samples=2).fit(X)
    (point,) = points(experiment.algo)
    customers = Customers("id", np.array(list("abcdefgh"), dtype=object), {"x": X[:, 0]})
    every = Customers(
        "id", np.array(list("zabcxdefghy"), dtype=object),
        {"x": np.array([0.25, 0, 0.1, 0.2, 99, 5, 5.1, 5.2, 1.9, 3.4, 5.45])},
    )  # fmt: skip
    return Clustering(experiment, point, customers, model.labels_, (), X, model), every


def where(members):
    return dict(zip(members.customers.ids, members.labels.tolist(), strict=True))


@pytest.mark.heavy
def test_dbscan_keeps_outliers_by_its_cores_and_then_by_the_nearest_middle(dense):
    clustering, every = dense
    found = place(clustering, every, {}, Outliers.keep)
    assert found.inside.all()
    assert where(found) == {
        "a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 1,
        # Noise: nearer to the mean 0.1 than to 5.1, and the other way round.
        "g": 0, "h": 1,
        # Set aside: z and y are within eps of a core, x is not.
        "z": 0, "y": 1, "x": 1,
    }  # fmt: skip


@pytest.mark.heavy
def test_dropped_outliers_are_in_none_and_their_own_segment_is_minus_one(dense):
    clustering, every = dense
    about = {"Country": np.array([f"of {key}" for key in every.ids], dtype=object)}
    dropped = place(clustering, every, about, Outliers.drop)
    own = place(clustering, every, about, Outliers.own)
    assert where(dropped) == where(own)
    assert sorted(dropped.customers.ids[~dropped.inside]) == list("ghxyz")
    assert own.inside.all()
    # Further columns go with their customers.
    assert dropped.others["Country"].tolist() == [f"of {key}" for key in dropped.customers.ids]
