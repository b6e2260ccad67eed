from functools import partial

import numpy as np
import pytest
import sklearn.cluster
from sklearn.neighbors import kneighbors_graph

from segrun.algorithms.backend import Backend
from segrun.algorithms.estimator import from_path, ready
from segrun.errors import ConfigError


@pytest.mark.parametrize(
    "path", ["sklearn.cluster.Birch", "sklearn.cluster.HDBSCAN", "sklearn.mixture.GaussianMixture"]
)
def test_a_clusterer_or_mixture_is_an_algorithm(path):
    algorithm = from_path(path)
    made = algorithm.make(Backend("sklearn"))
    assert type(made).__name__ == path.rpartition(".")[2]
    assert algorithm.name == type(made).__name__.lower()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sklearn.clusters.Birch", r"algo\.estimator=.*no module sklearn\.clusters"),
        ("sklearn.cluster.Brich", r"has no Brich\. Did you mean 'Birch'\?"),
        ("sklearn.svm.SVC", "not a clusterer"),
        ("sklearn.neighbors.KernelDensity", "not a clusterer"),
        ("sklearn.cluster.FeatureAgglomeration", "not a clusterer"),
        ("sklearn.cluster.k_means", "not a clusterer"),
        ("os.system", "not a path below sklearn.*plugin"),
        ("sklearnex.cluster.KMeans", "not a path below sklearn"),
        ("Birch", "not a path below sklearn"),
        ("sklearn.base.defaultdict", "not defined by scikit-learn"),
    ],
)
def test_anything_else_is_refused_saying_why(path, message):
    with pytest.raises(ConfigError, match=message):
        from_path(path)


def test_a_mapping_with_a_function_becomes_that_function():
    given = {"function": "sklearn.neighbors.kneighbors_graph", "n_neighbors": 5}
    made = ready({"connectivity": given, "n_clusters": 3})
    assert isinstance(made["connectivity"], partial)
    assert made["connectivity"].func is kneighbors_graph
    assert made["connectivity"].keywords == {"n_neighbors": 5}
    assert made["n_clusters"] == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"function": "os.system"}, r"algo\.params\.c\.function=os\.system.*below sklearn"),
        ({"function": "sklearn.cluster.KMeans"}, "is not a function"),
        (
            {"function": "sklearn.neighbors.kneighbors_graph", "n_neighbour": 5},
            r"algo\.params\.c\.n_neighbour.*Did you mean 'n_neighbors'\?",
        ),
    ],
)
def test_a_function_that_is_none_of_scikit_learns_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        ready({"c": given})


def test_a_mapping_without_a_function_stays_a_mapping():
    assert ready({"metric_params": {"V": 1}}) == {"metric_params": {"V": 1}}


@pytest.mark.heavy
def test_a_list_of_centres_becomes_an_array():
    centres = ready({"init": [[0, 0], [5, 5]]})["init"]
    X = np.array([[0.0, 1.0], [5.0, 6.0], [1.0, 0.0]])
    model = Backend("sklearn").make("KMeans", n_clusters=2, init=centres, n_init=1)
    assert model.fit_predict(X).tolist() == [0, 1, 0]
    with pytest.raises(ConfigError, match=r"algo\.params\.init"):
        ready({"init": [[0, 0], [5]]})


def test_connectivity_from_yaml_gives_scikit_learns_own_labels():
    X = np.random.default_rng(1).normal(size=(200, 3))
    given = {"function": "sklearn.neighbors.kneighbors_graph", "n_neighbors": 10}
    made = from_path("sklearn.cluster.AgglomerativeClustering").make(
        Backend("sklearn"), n_clusters=4, **ready({"connectivity": given})
    )
    graph = kneighbors_graph(X, 10)
    expected = sklearn.cluster.AgglomerativeClustering(4, connectivity=graph).fit_predict(X)
    assert np.array_equal(made.fit_predict(X), expected)
