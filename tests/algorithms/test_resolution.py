from functools import partial

import numpy as np
import pytest
import sklearn.cluster
from sklearn.neighbors import kneighbors_graph

from segrun.algorithms import check, registry, resolve
from segrun.algorithms.backend import Backend
from segrun.algorithms.resolution import from_path, ready
from segrun.config import AlgoConfig
from segrun.errors import BackendError, ConfigError


def kmeans(params=None, grid=None):
    return AlgoConfig("kmeans", None, params or {}, grid or {})


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        (
            kmeans({"n_cluster": 3}),
            ["algo.params.n_cluster", "KMeans", "Did you mean 'n_clusters'?", "max_iter"],
        ),
        (kmeans({"n_clusters": 0}), ["algo.params.n_clusters", "'n_clusters'", "Got 0"]),
        (kmeans({"n_clusters": "3"}), ["algo.params.n_clusters", "Got '3'"]),
        (
            kmeans({"tol": None}, {"tol": [1e-3, -1.0]}),
            ["algo.grid.tol", "'tol'", "Got -1.0"],
        ),
        (kmeans({"tol": -1.0}, {"tol": [1e-3]}), ["algo.params.tol", "Got -1.0"]),
        (kmeans({"n_clusters": None}), ["algo.params.n_clusters", "Got None"]),
        (AlgoConfig("kmean"), ["algo.name=kmean", "Did you mean 'kmeans'?", "dbscan"]),
        (
            AlgoConfig("birch", "sklearn.cluster.Birch", {"treshold": 1.0}),
            ["algo.params.treshold", "Birch", "Did you mean 'threshold'?"],
        ),
        (AlgoConfig("a/b", "sklearn.cluster.Birch"), ["algo.name='a/b'"]),
        (AlgoConfig("a__b", "sklearn.cluster.Birch"), ["algo.name='a__b'"]),
    ],
)
def test_what_cannot_be_fitted_is_refused_naming_key_and_value(config, parts):
    for backend in ("onedal", "sklearn"):
        with pytest.raises(ConfigError) as caught:
            check(config, Backend(backend), seed=0)
        for part in parts:
            assert part in str(caught.value)


def test_what_is_right_passes():
    check(
        kmeans({"n_clusters": None, "random_state": 0}, {"n_clusters": [2, 3]}),
        Backend("onedal"),
        seed=0,
    )


def test_a_required_backend_that_lacks_the_estimator_is_told_before_any_data():
    config = AlgoConfig("birch", "sklearn.cluster.Birch")
    check(config, Backend("onedal"), seed=0)
    with pytest.raises(BackendError, match=r"backend\.require.*Birch"):
        check(config, Backend("onedal", require=True), seed=0)


GROUPER = """
from segrun.algorithms.base import Algorithm
def make(backend, *, groups):
    return backend.make("KMeans", n_clusters=groups)
algorithm = Algorithm("grouper", make, "grouper.conf")
"""


@pytest.fixture
def grouper(tmp_path, monkeypatch):
    """Install a plugin whose parameters are its own: k-means with `groups`."""
    folder = tmp_path / "grouper-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: grouper\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[{registry.GROUP}]\ngrouper = grouper:algorithm\n")
    (tmp_path / "grouper.py").write_text(GROUPER)
    monkeypatch.syspath_prepend(tmp_path)
    registry._installed.cache_clear()
    yield
    registry._installed.cache_clear()


@pytest.mark.usefixtures("grouper")
def test_a_plugins_own_parameters_are_taken_and_explained():
    check(AlgoConfig("grouper", None, {"groups": 2}), Backend("sklearn"), seed=0)
    with pytest.raises(ConfigError, match=r"algo\.params of grouper .*'group'.*: groups"):
        check(AlgoConfig("grouper", None, {"group": 2}), Backend("sklearn"), seed=0)
    with pytest.raises(ConfigError, match=r"n_clusters.*Got 0"):
        check(AlgoConfig("grouper", None, {"groups": 0}), Backend("sklearn"), seed=0)


def test_the_label_of_a_yaml_only_algorithm_is_the_users():
    algorithm = resolve(AlgoConfig("my_birch", "sklearn.cluster.Birch"), seed=0)
    assert algorithm.name == "my_birch"


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
