"""The real file through runs on it: the stored label for every customer, and three months."""

import polars as pl
import pytest

from segrun.cli.apply import apply_command
from segrun.rundir.store import read_csv
from segrun.using.apply import ApplyOptions, apply


@pytest.fixture(scope="module")
def runs(run_of, online_retail, tmp_path_factory):
    """A k-means and a DBSCAN run on the real file, one point each."""
    folder = tmp_path_factory.mktemp("real")
    data = ["dataset=online_retail", f"dataset.path={online_retail}"]
    return {
        "kmeans": run_of(folder / "k", *data, "algo.params={n_clusters: 5, tol: 1e-4}"),
        "dbscan": run_of(
            folder / "d", *data, "algo=dbscan", "algo.params={eps: 0.5, min_samples: 10}"
        ),
    }


@pytest.mark.parametrize("algo", ["kmeans", "dbscan"])
def test_every_customer_of_the_training_gets_the_stored_label(runs, online_retail, algo):
    run = runs[algo]
    (point,) = run.points
    found = apply(run, ApplyOptions(str(online_retail), point))
    labels = dict(zip(found.new.customers.ids, found.placed.label, strict=True))
    assert len(labels) == 4372
    assert [labels[i] for i in run.customers.ids] == run.labels(point).tolist()
    assert sum(label is None for label in labels.values()) == 4372 - 4256
    assert found.shift.psi == 0


def test_the_last_three_months_get_labels_and_a_shift_report(runs, online_retail, tmp_path):
    output = tmp_path / "autumn.parquet"
    (point,) = runs["kmeans"].points
    arguments = ["--point", point, "--from", "2011-09-10", "--output", str(output)]
    assert apply_command([str(runs["kmeans"].path), str(online_retail), *arguments]) == 0
    lines = pl.read_csv(
        online_retail, schema_overrides={"InvoiceNo": pl.String, "CustomerID": pl.String},
        encoding="utf8-lossy",
    ).drop_nulls()  # fmt: skip
    dates = lines["InvoiceDate"].str.to_datetime("%m/%d/%Y %H:%M")
    bought = set(lines.filter(dates >= pl.datetime(2011, 9, 10))["CustomerID"].str.strip_chars())
    found = pl.read_parquet(output)
    assert set(found["CustomerID"]) == {int(i.removesuffix(".0")) for i in bought}
    centres = runs["kmeans"].model(point)[-1].cluster_centers_
    assert set(found["label"].drop_nulls()) <= set(range(len(centres)))
    assert found["distance"].drop_nulls().is_finite().all()
    shift = read_csv(tmp_path / "autumn.shift.csv")
    # Half of the year's lines are of these months, nobody's Recency is above 90 days.
    assert float(next(r for r in shift if r["kind"] == "all")["psi"]) > 0.25
    ranges = {r["column"]: r for r in shift if r["kind"] == "feature"}
    assert list(ranges) == runs["kmeans"].customers.feature_names
    assert float(ranges["Recency"]["above_share"]) == 0
