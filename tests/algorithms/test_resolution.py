import pytest

from segrun.algorithms import check, registry, resolve
from segrun.algorithms.backend import Backend
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
