"""What the estimates promise: they grow with the work, or say that nothing tells."""

from dataclasses import replace

import numpy as np
import pytest

from segrun.algorithms.grid import points
from segrun.cli.compose import prepare
from segrun.config import BackendName, conf_directory, to_experiment
from segrun.runner.preflight.cost import Task, assess

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def experiment():
    from hydra import compose, initialize_config_dir

    prepare()

    def composed(*overrides):
        with initialize_config_dir(str(conf_directory()), version_base="1.3"):
            return to_experiment(compose("segrun", list(overrides)))

    return composed


def costs(experiment, n_samples, X=None):
    grid = [point.params for point in points(experiment.algo)]
    n_samples, n_features = (n_samples, 21) if X is None else X.shape
    return {c.stage: c for c in assess(Task(experiment, grid, n_samples, n_features, X))}


def blobs(n_samples, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_features)) + rng.integers(0, 4, (n_samples, 1)) * 5.0


@pytest.mark.parametrize("backend", ["onedal", "native", "sklearn"])
@pytest.mark.parametrize("algo", ["kmeans", "dbscan", "agglomerative"])
def test_more_rows_take_more_of_everything_that_is_known(experiment, algo, backend):
    asked = experiment(f"algo={algo}", f"backend={backend}")
    few, many = costs(asked, 5_000), costs(asked, 100_000)
    assert list(few) == ["fit", "evaluate", "store"]
    for stage, cost in few.items():
        for name in ("extra_bytes", "disk_bytes"):
            less, more = getattr(cost, name), getattr(many[stage], name)
            assert (less is None) == (more is None)
            assert less is None or less < more or less == more == 0, (stage, name)


def test_dbscan_is_told_its_memory_from_neighbours_of_the_rows(experiment):
    asked = experiment("algo=dbscan", "algo.params.eps=null")
    X = blobs(3000)
    assert costs(asked, 3000)["fit"].extra_bytes is None
    few = costs(experiment("algo=dbscan", "algo.params.eps=0.1"), 0, X)["fit"]
    many = costs(experiment("algo=dbscan", "algo.params.eps=3.0"), 0, X)["fit"]
    assert few.extra_bytes < many.extra_bytes
    assert "within eps=3" in many.basis
    assert many.cheaper[0].startswith("backend=native (about ")
    native = experiment("algo=dbscan", "algo.params.eps=3.0", "backend=native")
    assert costs(native, 0, X)["fit"].extra_bytes <= many.extra_bytes


@pytest.mark.parametrize("algorithm", ["auto", "kd_tree", "ball_tree", "brute"])
def test_every_search_of_scikit_learn_is_judged(experiment, algorithm):
    asked = experiment("algo=dbscan", "backend=sklearn", f"algo.params.algorithm={algorithm}")
    cost = costs(asked, 0, blobs(2000))["fit"]
    assert cost.extra_bytes > 0


@pytest.mark.parametrize(
    "change",
    ["algo.params.leaf_size=x", "algo.params.algorithm=foo", "algo.params.eps=-1",
     "algo.params.eps=.nan", "algo.params.min_samples=many"],
)  # fmt: skip
def test_values_that_no_fit_can_have_are_left_to_the_fit(experiment, change):
    asked = experiment("algo=dbscan", "backend=sklearn", change)
    assert list(costs(asked, 0, blobs(600))) == ["fit", "evaluate", "store"]
    other = experiment("algo.params.n_clusters=0")
    assert list(costs(other, 0, blobs(600))) == ["fit", "evaluate", "store"]


def test_what_nothing_is_known_of_is_not_told(experiment):
    assert costs(experiment("algo=birch"), 4000)["fit"].extra_bytes is None
    other = experiment("algo=dbscan", "algo.params.metric=manhattan")
    assert costs(other, 0, blobs(500))["fit"].extra_bytes is None


def test_a_backend_that_is_not_there_is_not_counted_on(experiment):
    asked = experiment("algo=dbscan")
    assert Task(asked, [], 10, 2).backend in {"onedal", "sklearn"}
    native = replace(asked, backend=replace(asked.backend, name=BackendName.native))
    assert Task(native, [], 10, 2).backend == "native"
    # oneDAL computes all distances; a tree is scikit-learn's.
    assert Task(asked, [{"algorithm": "ball_tree"}], 10, 2).backend == "sklearn"


def test_what_compares_all_rows_takes_the_square_of_them(experiment):
    few, many = (costs(experiment("algo=agglomerative"), n)["fit"] for n in (10_000, 100_000))
    assert many.extra_bytes > 90 * few.extra_bytes
    assert "compare all pairs of 100,000 rows" in many.basis


def test_models_that_are_not_kept_take_no_disk(experiment):
    kept, none = (costs(experiment(f"store.models={k}"), 40_000)["store"] for k in ("all", "none"))
    assert kept.disk_bytes > 2 * none.disk_bytes > 0
    assert kept.cheaper == ("store.models=none",)
    assert none.cheaper == ()
