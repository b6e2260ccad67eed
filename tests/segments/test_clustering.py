"""A point of a run, named in full or by some of its values."""

from __future__ import annotations

import pytest

from segrun.errors import ConfigError
from segrun.segments.clustering import asked_point, chosen_point


@pytest.fixture(scope="module")
def run(run_of, tmp_path_factory):
    return run_of(
        tmp_path_factory.mktemp("points") / "run", "features=rfm", "dataset.n_customers=150",
        "algo.grid.n_clusters=[3,5]", "algo.grid.tol=[1e-1,1e-5]",
        "+algo.grid.init=[k-means++,random]", "algo.params.init=null",
    )  # fmt: skip


@pytest.mark.parametrize("asked", ["n_clusters=5,init=random", "init=random, n_clusters=5"])
def test_where_only_tol_differs_the_best_is_meant(run, asked):
    rows = [r for r in run.scores if (r["param_n_clusters"], r["param_init"]) == ("5", "random")]
    assert len(rows) == 2
    best = max(rows, key=lambda row: float(row["silhouette"]))["point"]
    assert asked_point(run, asked) == chosen_point(run, asked) == best


def test_numbers_are_compared_as_such(run):
    assert asked_point(run, "tol=1e-5,n_clusters=3,init=random") == next(
        row["point"] for row in run.scores
        if (row["param_n_clusters"], row["param_init"], float(row["param_tol"]))
        == ("3", "random", 1e-5)
    )  # fmt: skip


def test_several_kinds_are_listed_and_none_is_guessed(run):
    with pytest.raises(ConfigError, match="names several points") as error:
        asked_point(run, "n_clusters=5")
    of_five = [row["point"] for row in run.scores if row["param_n_clusters"] == "5"]
    assert str(error.value).endswith(": " + ", ".join(of_five))


@pytest.mark.parametrize("asked", ["n_clusters=4", "k=5", "5", "n_clusters=[", ""])
def test_what_names_no_point_is_refused(run, asked):
    with pytest.raises(ConfigError, match="is no point of"):
        asked_point(run, asked)
