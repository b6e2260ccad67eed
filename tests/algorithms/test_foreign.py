"""A failure of a library is told as its own: its words, its version, what was asked of it."""

import csv
import json
from contextlib import suppress

import numpy as np
import polars as pl
import pytest
import sklearn
from sklearn.cluster import KMeans

from segrun.algorithms.foreign import raised_by, told
from segrun.errors import ConfigError, DataError, StoreError
from segrun.rundir.store import read_csv
from segrun.using.export.files import as_frame

SKLEARN = f"scikit-learn {sklearn.__version__}"
ALGORITHMS = [
    "agglomerative", "birch", "bisecting_kmeans", "dbscan", "gaussian_mixture", "hdbscan", "kmeans",
    "minibatch_kmeans",
]  # fmt: skip


@pytest.fixture
def table_of(tmp_path):
    """Settings that read a table of so many customers with so many columns, in three groups."""

    def made(n_customers, n_columns=2):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n_customers, n_columns)) + 9 * (np.arange(n_customers)[:, None] % 3)
        names = [f"x{number}" for number in range(n_columns)]
        with (tmp_path / "table.csv").open("w", newline="") as file:
            lines = [[f"c{i}", *(f"{value:.4f}" for value in row)] for i, row in enumerate(X)]
            csv.writer(file).writerows([["id", *names], *lines])
        columns = ", ".join(f"{name}: number" for name in names)
        return [
            "dataset=table", f"dataset.path={tmp_path / 'table.csv'}", "dataset.id=id",
            f"+dataset.columns={{{columns}}}", "features=table", "dataset.decimal=point",
        ]  # fmt: skip

    return made


@pytest.fixture
def scores(run_of, tmp_path):
    """The table of an experiment's points, also where all have failed."""

    def ran(name, *overrides):
        with suppress(StoreError):
            run_of(tmp_path / name, *overrides)
        return read_csv(tmp_path / name / "scores.csv")

    return ran


@pytest.mark.parametrize("n_customers", [2, 3, 5, 10])
@pytest.mark.parametrize("algo", ALGORITHMS)
def test_few_customers_fail_only_what_asks_for_more_clusters_than_rows(
    scores, table_of, algo, n_customers
):
    rows = scores("run", *table_of(n_customers), f"algo={algo}")
    for row in rows:
        if row["status"] == "failed":
            assert (
                f"is more than the {n_customers} rows. Choose less, such as algo.params."
                in (row["reason"])
            )
            assert f" of {SKLEARN}" in row["reason"]
            asked = row["reason"].partition(" ")[0]
            assert int(asked.partition("=")[2]) > n_customers
    if algo != "hdbscan" or n_customers >= 5:
        assert any(row["status"] == "done" for row in rows)


@pytest.mark.parametrize("n_customers", [2, 3, 5, 10, 11])
def test_each_rows_nearest_rows_are_all_others_where_there_are_fewer(
    run_of, table_of, tmp_path, n_customers
):
    usual = [*table_of(n_customers), "algo=agglomerative", "algo.params.n_clusters=2"]
    limited = run_of(tmp_path / "limited", *usual)
    every = run_of(tmp_path / "every", *usual, "algo.params.connectivity=null")
    (point,) = limited.points
    assert limited.labels(point).tolist() == every.labels(point).tolist()


@pytest.mark.parametrize("n_customers", [2, 3, 5])
@pytest.mark.parametrize("algo", ["kmeans", "agglomerative"])
def test_a_described_run_of_few_customers_is_done(run_of, table_of, tmp_path, algo, n_customers):
    more = ["algo.params.tol=1e-4"] if algo == "kmeans" else []
    run = run_of(
        tmp_path / "run", *table_of(n_customers), f"algo={algo}", "algo.params.n_clusters=2",
        "segments=full", "report=html", *more,
    )  # fmt: skip
    assert json.loads((run.path / "manifest.json").read_text())["status"] == "done"


@pytest.mark.parametrize("transform", ["pca_10", "svd_10"])
def test_more_components_than_rows_are_refused_with_the_key_and_the_most(
    run_of, table_of, tmp_path, transform
):
    with pytest.raises(ConfigError, match=r"transform\.(pca|svd)=10 .* at most [45]"):
        run_of(tmp_path / "run", *table_of(5, 12), f"transform={transform}")


def test_a_fault_of_scikit_learn_is_told_as_its_own_with_what_avoids_it(scores, table_of):
    usual = [
        *table_of(60, 1), "algo=hdbscan", "algo.params.min_cluster_size=5",
        "algo.params.cluster_selection_method=leaf",
    ]  # fmt: skip
    (row,) = scores("run", *usual, "algo.params.cluster_selection_epsilon=2.0")
    if row["status"] == "done":
        pytest.skip(f"{SKLEARN} has it mended")
    # Its own words first, then whose they are and what was set.
    assert row["reason"].startswith("TypeError: only 0-dimensional arrays")
    assert f"raised by HDBSCAN of {SKLEARN} with cluster_selection_epsilon=2.0" in row["reason"]
    avoided = "algo.params.cluster_selection_epsilon=0.0"
    assert f"{avoided} avoids it" in row["reason"]
    (row,) = scores("avoided", *usual, avoided)
    assert row["status"] == "done"


@pytest.mark.heavy
def test_what_a_library_raises_is_told_with_its_version():
    with pytest.raises((TypeError, pl.exceptions.PolarsError)) as caught:
        as_frame({"mixed": [1, "x"]})
    assert told(caught.value).endswith(f" (raised by polars {pl.__version__})")


def test_what_segrun_did_not_call_is_nobodys():
    with pytest.raises(ValueError, match="n_clusters") as caught:
        KMeans(n_clusters=0).fit([[1.0]])
    assert raised_by(caught.value) == ""
    assert told(DataError("no row")) == "no row"
