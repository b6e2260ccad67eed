"""Runs that new customers are applied to, and the transactions that they were fitted on."""

import pytest
from hydra import compose, initialize_config_dir

from segrun.compose import prepare
from segrun.config import conf_directory, to_experiment
from segrun.datasets.synthetic_retail import generate
from segrun.finished import open_run
from segrun.run import run

N_CUSTOMERS = 200
SMALL = f"dataset.n_customers={N_CUSTOMERS}"


def _run_of(folder, *overrides):
    prepare()
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        experiment = to_experiment(
            compose(
                "segrun",
                ["backend=sklearn", "preflight.action=none", *overrides],
            )
        )  # fmt: skip
    run(experiment, folder)
    return open_run(folder)


@pytest.fixture(scope="session")
def run_of():
    """Run an experiment in this process: run_of(folder, "algo=dbscan", ...) is finished."""
    return _run_of


@pytest.fixture(scope="session")
def kmeans(tmp_path_factory):
    """A k-means run on the embedded data, two points."""
    folder = tmp_path_factory.mktemp("kmeans") / "run"
    return _run_of(
        folder, SMALL, "algo=kmeans", "algo.grid.n_clusters=[3,4]", "algo.params.tol=1e-4"
    )


@pytest.fixture(scope="session")
def dbscan(tmp_path_factory):
    """A DBSCAN run on the embedded data with several clusters, border rows and noise."""
    folder = tmp_path_factory.mktemp("dbscan") / "run"
    return _run_of(
        folder, SMALL, "algo=dbscan", "features=rfm", "algo.grid.eps=[0.15]",
        "algo.grid.min_samples=[4]",
    )  # fmt: skip


@pytest.fixture(scope="session")
def lines(tmp_path_factory):
    """The transactions of these runs as a CSV file."""
    path = tmp_path_factory.mktemp("lines") / "lines.csv"
    generate(N_CUSTOMERS, 0)[0].write_csv(path)
    return path
