"""Runs of the straight line in this process."""

import pytest

from segrun.jobs import run_job as run
from segrun.rundir.finished import open_run


@pytest.fixture(scope="session")
def finished(composed):
    """finished(folder, *overrides): a run that has ended."""

    def ended(folder, *overrides):
        run(composed("backend=sklearn", *overrides), folder)
        return open_run(folder)

    return ended


@pytest.fixture(scope="module")
def planted(finished, tmp_path_factory):
    """The committed experiment whose customers are of types that are plain to see."""
    return finished(tmp_path_factory.mktemp("planted") / "run", "experiment=planted_types")


@pytest.fixture(scope="module")
def small(finished, tmp_path_factory):
    """A run of three features, k = 2 to 5, that is not described yet."""
    return finished(
        tmp_path_factory.mktemp("small") / "run",
        "features=rfm", "transform=log_standard", "features.cancellations=remove",
        "dataset.n_customers=300", "algo.params.tol=1e-4", "algo.grid.n_clusters=[2,3,4,5]",
        "segments.stability.refits=3",
    )  # fmt: skip
