import numpy as np
import pytest

from segrun.algorithms.grid import points
from segrun.config import AlgoConfig
from segrun.errors import ConfigError
from segrun.rundir.store import read_csv, read_json
from segrun.runner import centres

GRID = {"n_clusters": [2, 5, 90], "tol": [1e-3, 1e-5]}


def settings(**changes):
    params = {"n_clusters": None, "tol": None, "init": "k-means++", "n_init": "auto"}
    return AlgoConfig(**{"name": "kmeans", "params": params, "grid": GRID, "shared_centres": True}
                      | changes)  # fmt: skip


@pytest.fixture
def X():
    return np.random.default_rng(3).normal(size=(80, 4))


def test_points_of_one_number_of_clusters_begin_at_the_same_centres(X):
    started, digests = centres.shared(points(settings()), X, seed=0)
    two, also_two, five, also_five, *too_many = started
    assert two.params["init"].shape == (2, 4)
    assert two.params["init"] is also_two.params["init"]
    assert five.params["init"].shape == also_five.params["init"].shape == (5, 4)
    assert two.params["n_init"] == 1
    assert [point.params["init"] for point in too_many] == ["k-means++"] * 2
    assert digests == {"2": centres.digest(two.params["init"]),
                       "5": centres.digest(five.params["init"])}  # fmt: skip


def test_centres_are_rows_of_the_data_and_follow_from_the_seed(X):
    declared = points(settings())
    first, again, other = (centres.shared(declared, X, seed)[1] for seed in (0, 0, 1))
    assert first == again
    assert first != other
    (drawn,) = (p.params["init"] for p in centres.shared(declared[2:3], X, 0)[0])
    assert all((row == X).all(axis=1).any() for row in drawn)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "dbscan", "params": {"eps": 1}}, "dbscan has no parameter n_clusters"),
        ({"params": {"n_clusters": 2, "init": [[0, 0], [1, 1]]}}, "given already"),
        ({"params": {"n_clusters": 2, "init": None}, "grid": {"init": ["random"]}}, "given alr"),
        ({"params": {"n_clusters": 2, "init": "random"}}, r"k-means\+\+, but .*init=random"),
    ],
)
def test_what_has_no_centres_to_share_is_refused(changes, said):
    with pytest.raises(ConfigError, match=said):
        centres.check(settings(**changes))
    centres.check(settings(**changes, shared_centres=False))


def test_backends_come_to_the_same_clusters_from_shared_centres(segrun, tmp_path):
    done = segrun(
        "-m", "dataset.n_customers=300", "algo=kmeans", "algo.shared_centres=true",
        "algo.grid.n_clusters=[2,4]", "algo.grid.tol=[1e-4]", "backend=onedal,sklearn",
        "hydra.sweep.dir=sweep", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    jobs = [tmp_path / "sweep" / f"{number}-kmeans" for number in (0, 1)]
    first, second = (read_json(job / "manifest.json") for job in jobs)
    assert first["centres"] == second["centres"]
    assert first["centres"].keys() == {"2", "4"}
    same = [name for name in first["files"] if name.startswith("predictions/")]
    assert [first["files"][name] for name in same] == [second["files"][name] for name in same]
    # What was drawn has a time of its own, and points to go on from an earlier attempt.
    assert "centres" in [row["stage"] for row in read_csv(jobs[0] / "timings.csv")]
