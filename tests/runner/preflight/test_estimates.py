"""What the estimates promise: they grow with the work, and count neighbours as they are."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from segrun.algorithms.grid import points
from segrun.cli.compose import prepare
from segrun.config import BackendName, conf_directory, to_experiment
from segrun.runner.preflight.assess import assess
from segrun.runner.preflight.machine import Machine, measure
from segrun.runner.preflight.neighbours import count_neighbours
from segrun.runner.preflight.task import task

MACHINE = Machine(1.0, 2.0, 500_000_000, 8_000_000_000, 10**12)


@pytest.fixture(scope="module")
def experiment():
    from hydra import compose, initialize_config_dir

    prepare()

    def composed(*overrides):
        with initialize_config_dir(str(conf_directory()), version_base="1.3"):
            return to_experiment(compose("segrun", list(overrides)))

    return composed


def costs(experiment, n_samples, X=None, machine=MACHINE):
    grid = [point.params for point in points(experiment.algo)]
    shape = (n_samples, 21) if X is None else X.shape
    return {c.stage: c for c in assess(task(experiment, grid, shape, X), machine)}


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
        for name in ("seconds", "extra_bytes", "disk_bytes"):
            less, more = getattr(cost, name), getattr(many[stage], name)
            assert (less is None) == (more is None)
            assert less is None or less < more or less == more == 0, (stage, name)


def test_more_points_repeats_and_clusters_take_longer(experiment):
    base = costs(experiment(), 40_000)["fit"].seconds
    for more in ("algo.grid.tol=[1e-3,1e-4,1e-5,1e-6]", "timing.repeats=2",
                 "algo.grid.n_clusters=[20,25,30,35,40,45,50,55,60]",
                 "algo.params.n_init=3"):  # fmt: skip
        assert costs(experiment(more), 40_000)["fit"].seconds > base, more
    assert costs(experiment("algo.params.max_iter=2"), 40_000)["fit"].seconds < base


def test_a_faster_machine_with_more_cores_takes_less(experiment):
    slow = costs(experiment(), 40_000)
    fast = costs(experiment(), 40_000, machine=replace(MACHINE, speed=2.0, free_cores=4.0))
    for stage, cost in slow.items():
        assert cost.seconds > fast[stage].seconds


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
    assert cost.seconds > 0
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


def test_many_eps_take_few_trials_of_the_tree(experiment, monkeypatch):
    from sklearn.neighbors import NearestNeighbors

    asked = []
    search = NearestNeighbors.radius_neighbors

    def counted(self, X, radius, **options):
        asked.append(radius)
        return search(self, X, radius, **options)

    monkeypatch.setattr(NearestNeighbors, "radius_neighbors", counted)
    grid = "algo.grid.eps=[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]"
    many = costs(experiment("algo=dbscan", "backend=sklearn", grid), 0, blobs(2000))["fit"]
    assert asked == [0.1, 0.4, 0.8]
    assert many.seconds > 0


def test_what_nothing_is_known_of_is_not_told(experiment):
    assert costs(experiment("algo=birch"), 4000)["fit"].seconds is None
    other = experiment("algo=dbscan", "algo.params.metric=manhattan")
    assert costs(other, 0, blobs(500))["fit"].seconds is None


@pytest.mark.parametrize("n_samples", [1, 2, 255, 256, 257, 3000])
def test_counts_of_few_rows_are_those_of_the_rows(n_samples):
    X = blobs(n_samples)
    found = count_neighbours(X, [2.0, 0.5, 0.5, 1.0], seed=0)
    assert found.eps.tolist() == [0.5, 1.0, 2.0]
    for eps in (0.5, 1.0, 2.0):
        near = NearestNeighbors(radius=eps).fit(X).radius_neighbors(X, return_distance=False)
        true = np.array([len(rows) for rows in near])
        if n_samples <= 256:
            assert np.array_equal(np.sort(found.counts[found.eps == eps][0]), np.sort(true))
        assert found.mean(eps) == pytest.approx(true.mean(), rel=0.2)
        assert found.core_share(eps, 10) == pytest.approx((true >= 10).mean(), abs=0.1)


def test_counts_of_many_rows_come_from_some_of_them_and_repeat():
    X = blobs(150_000, 2)
    found = count_neighbours(X, [0.3], seed=0)
    some = np.random.default_rng(1).choice(len(X), 100, replace=False)
    near = NearestNeighbors(radius=0.3).fit(X).radius_neighbors(X[some], return_distance=False)
    assert found.mean(0.3) == pytest.approx(np.mean([len(rows) for rows in near]), rel=0.2)
    assert np.array_equal(found.counts, count_neighbours(X, [0.3], seed=0).counts)


def test_of_many_eps_the_next_larger_one_that_was_counted_stands_for_one():
    X = blobs(1000)
    wanted = np.linspace(0.1, 2.0, 40)
    found = count_neighbours(X, wanted, seed=0)
    assert len(found.eps) == 8
    assert found.eps[-1] == 2.0
    means = [found.mean(eps) for eps in wanted]
    assert means == sorted(means)


def test_side_by_side_runs_share_the_machine(tmp_path):
    alone, shared = measure(tmp_path / "not" / "yet"), measure(tmp_path, n_parallel=4)
    assert shared.free_cores < alone.free_cores or alone.free_cores <= 0.25
    assert shared.available_bytes < alone.available_bytes
    busy = measure(tmp_path, other_load=alone.free_cores + 7)
    assert 0 < busy.free_cores < alone.free_cores
    assert alone.speed > 0
    assert alone.disk_bytes > 0


def test_the_shared_road_of_native_takes_one_trajectory_per_number_of_clusters(experiment):
    shared = costs(experiment("backend=native"), 400_000)["fit"].seconds
    alone = costs(experiment("backend=native", "timing.share=false"), 400_000)["fit"].seconds
    assert shared < alone


def test_a_backend_that_is_not_there_is_not_counted_on(experiment):
    asked = experiment("algo=dbscan")
    found = task(asked, [], (10, 2))
    assert found.backend in {"onedal", "sklearn"}
    native = replace(asked, backend=replace(asked.backend, name=BackendName.native))
    assert task(native, [], (10, 2)).backend == "native"
