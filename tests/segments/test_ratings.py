"""Distinctive items by TF-IDF: by hand, against a formula of its own, and of planted genres."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from segrun.data.datasets.synthetic_ratings import generate
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns
from segrun.segments.ratings import distinctive, tf_idf


def users(X, titles=None):
    X = np.asarray(X, dtype=float)
    ids = np.array([f"i{n}" for n in range(X.shape[1])], dtype=object)
    items = Items(ids, ids if titles is None else np.array(titles, dtype=object),
                  (X != 0).sum(axis=0), X.mean(axis=0))  # fmt: skip
    names = np.array([f"u{n}" for n in range(len(X))], dtype=object)
    return Customers("UserID", names, SparseColumns(csr_array(X), items))


def test_by_hand():
    # Item 0 is everybody's, 1 is the first segment's, 2 the second's.
    found = users([[3, 4, 0], [3, 2, 0], [3, 0, 5], [3, 0, 5]])
    rows = distinctive(found, np.array([7, 7, 9, 9]), {7: "A", 9: "B"})
    assert [(r["segment"], r["name"], r["rank"], r["item"]) for r in rows] == [
        (7, "A", 1, "i1"), (9, "B", 1, "i2"),
    ]  # fmt: skip
    # The only item of its document.
    assert [r["tf_idf"] for r in rows] == [1.0, 1.0]
    assert [(r["share"], r["overall_share"]) for r in rows] == [(1.0, 0.5), (1.0, 0.5)]


def test_the_weights_are_the_formula():
    rng = np.random.default_rng(0)
    means, overall = rng.random((4, 9)), rng.random(9) * 0.8
    tf = np.maximum(0, means - overall)
    df = (tf > 0).sum(axis=0)
    weight = tf * (np.log((1 + 4) / (1 + df)) + 1)
    weight /= np.linalg.norm(weight, axis=1, keepdims=True)
    assert np.allclose(tf_idf(means, overall), weight, rtol=1e-12)


def test_rows_of_no_segment_count_in_the_whole_only():
    found = users([[1, 0], [1, 0], [0, 1], [0, 1]])
    rows = distinctive(found, np.array([0, 0, -1, -1]), {0: "A"})
    assert [(r["item"], r["share"], r["overall_share"]) for r in rows] == [("i0", 1.0, 0.5)]


def test_at_most_so_many_items_and_ties_in_order():
    found = users([[1, 1, 1], [0, 0, 0]])
    rows = distinctive(found, np.array([0, 1]), {0: "A", 1: "B"}, n_top=2)
    # Nothing sets the second apart.
    assert [(r["segment"], r["item"]) for r in rows] == [(0, "i0"), (0, "i1")]


@pytest.fixture(scope="module")
def planted():
    made = generate(900, 400, seed=0)
    user = made.frame["UserID"].cast(int).to_numpy() - 1
    item = made.frame["item"].cast(int).to_numpy() - 1
    X = csr_array((made.frame["rating"].to_numpy(), (user, item)), shape=(900, 400)).toarray()
    return made, X


@pytest.mark.heavy
def test_planted_tastes_are_found_and_their_items_are_of_the_planted_genre(planted):
    made, X = planted
    truth = list(made.tastes.values())
    Z = PCA(10, random_state=0).fit_transform(X)
    labels = KMeans(25, n_init=10, random_state=0).fit_predict(Z).astype(np.int64)
    assert adjusted_rand_score(truth, labels) >= 0.9
    rows = distinctive(users(X, list(made.titles.values())), labels, dict(enumerate("x" * 25)), 10)
    genre = dict(zip(made.titles.values(), made.genres.values(), strict=True))
    for number in range(25):
        members = [taste for taste, label in zip(truth, labels, strict=True) if label == number]
        taste = max(set(members), key=members.count).split("+")
        top = [genre[row["item"]] for row in rows if row["segment"] == number]
        assert len(top) == 10
        assert set(top) <= set(taste)
