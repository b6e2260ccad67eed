"""Batches whose lines may have been ingested before."""

import shutil

import polars as pl
import pytest

from segrun.errors import DataError
from segrun.rundir.finished import open_run
from segrun.using.ingest import opened


def ingest(run, files):
    with opened(run) as ledger:
        return [ledger.ingest(str(path)) for path in files]


@pytest.fixture(scope="module")
def months(sales, tmp_path_factory):
    """The sales of the first half year as a file, and of each month behind it."""
    lines = pl.read_csv(sales["whole"], infer_schema=False)
    when = lines["InvoiceDate"].str.to_datetime("%m/%d/%Y %H:%M")
    month = when.dt.year() * 12 + when.dt.month()
    parts = lines.with_columns(month=month.clip(2011 * 12 + 6)).partition_by("month")
    folder = tmp_path_factory.mktemp("months")
    for place, part in enumerate(parts):
        # Behind the first one every line comes twice.
        doubled = pl.concat([part, part]) if place else part
        doubled.drop("month").write_csv(folder / f"{place}.csv")
    return [folder / f"{place}.csv" for place in range(len(parts))]


@pytest.fixture(scope="module")
def without_copies(run_of, months, sales, tmp_path_factory):
    """Runs that leave copies out: on the first half year, and on all sales."""
    folder = tmp_path_factory.mktemp("without")
    return [
        run_of(
            folder / name, "dataset=online_retail", f"dataset.path={path}",
            "dataset.date_order=month_first", "dataset.duplicates=drop", "algo=kmeans",
            "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4",
        )
        for name, path in (("first", months[0]), ("whole", sales["whole"]))
    ]  # fmt: skip


def test_batches_of_other_times_give_what_one_read_without_copies_gives(
    without_copies, months, tmp_path
):
    first, whole = without_copies
    shutil.copytree(first.path, tmp_path / "run")
    run = open_run(tmp_path / "run")
    ingest(run, months[1:])
    with opened(run) as ledger:
        found = ledger.aggregates.customers()
    assert found.ids.tolist() == whole.all_customers.ids.tolist()
    for name, values in whole.all_customers.columns.items():
        assert found.columns[name].tobytes() == values.tobytes(), name


def test_a_batch_among_the_days_before_is_refused_where_copies_are_left_out(
    without_copies, months, tmp_path
):
    first = without_copies[0]
    shutil.copytree(first.path, tmp_path / "run")
    run = open_run(tmp_path / "run")
    edition = tmp_path / "edition.csv"
    pl.read_csv(months[0], infer_schema=False)[100:].write_csv(edition)
    with pytest.raises(DataError, match=r"lie among those .* dataset\.duplicates=drop leaves out"):
        ingest(run, [edition])
    with opened(run) as ledger:
        assert ledger.aggregates.totals["n_lines"] == first.manifest["features"]["n_lines"]


def test_a_batch_among_the_days_before_is_told_where_copies_are_kept(run, sales, batches, tmp_path):
    edition = tmp_path / "edition.csv"
    pl.read_csv(sales["first"], infer_schema=False)[100:].write_csv(edition)
    [batch, later] = ingest(run, [edition, batches[0]])
    assert any("what is in both counts twice" in said for said in batch.told)
    assert not any("counts twice" in said for said in later.told)


def test_a_batch_of_which_much_is_left_out_says_so(run, batches, tmp_path):
    table = pl.read_csv(batches[0], infer_schema=False)
    nameless = table.with_columns(CustomerID=pl.lit(None, dtype=pl.String))
    path = tmp_path / "guests.csv"
    pl.concat([table, nameless, nameless]).write_csv(path)
    [batch] = ingest(run, [path])
    n = batch.totals["removed"]["features.drop_missing=any_column"]["n_lines"]
    assert n >= 2 * len(table)
    assert any(f"features.drop_missing=any_column leaves out {n} lines" in x for x in batch.told)
