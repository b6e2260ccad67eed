"""Runs that new customers are applied to, and the transactions that they were fitted on."""

import pytest

from segrun.data.datasets.synthetic_retail import generate

N_CUSTOMERS = 200
SMALL = f"dataset.n_customers={N_CUSTOMERS}"


@pytest.fixture(scope="session")
def kmeans(run_of, tmp_path_factory):
    """A k-means run on the embedded data, two points."""
    folder = tmp_path_factory.mktemp("kmeans") / "run"
    return run_of(
        folder, SMALL, "algo=kmeans", "algo.grid.n_clusters=[3,4]", "algo.params.tol=1e-4"
    )


@pytest.fixture(scope="session")
def dbscan(run_of, tmp_path_factory):
    """A DBSCAN run on the embedded data with several clusters, border rows and noise."""
    folder = tmp_path_factory.mktemp("dbscan") / "run"
    return run_of(
        folder, SMALL, "algo=dbscan", "features=rfm", "algo.grid.eps=[0.15]",
        "algo.grid.min_samples=[4]",
    )  # fmt: skip


@pytest.fixture(scope="session")
def lines(tmp_path_factory):
    """The transactions of these runs as a CSV file."""
    path = tmp_path_factory.mktemp("lines") / "lines.csv"
    generate(N_CUSTOMERS, 0)[0].write_csv(path)
    return path
