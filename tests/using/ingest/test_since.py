"""What is said of a run after sales were ingested: of now, or plainly of the run as it was."""

import re
import sqlite3

import polars as pl
import pytest

from segrun.cli.compare import compare_command
from segrun.cli.export import export_command
from segrun.cli.ingest import ingest_command
from segrun.cli.report import report_command
from segrun.cli.segments import name_command
from segrun.errors import StoreError
from segrun.rundir.finished import open_run


def ingest(run, *batches):
    assert ingest_command([str(run.path), *batches, "--quiet"]) == 0


def exported(run, out, *arguments):
    assert export_command([str(run.path), "--to", str(out), "--replace", *arguments]) == 0
    return pl.read_parquet(out)


def state(run):
    """What the state itself holds: segment by id, and the sums over its batches."""
    with sqlite3.connect(run.path / "ingest" / "state.sqlite") as connection:
        segments = dict(connection.execute("SELECT id, segment FROM customers"))
        sums = "SELECT sum(n_lines), sum(n_new) FROM batches WHERE kind = 'batch'"
        moves = "SELECT ifnull(sum(n), 0) FROM moves WHERE NOT is_new"
        return (
            segments, *connection.execute(sums).fetchone(), *connection.execute(moves).fetchone()
        )  # fmt: skip


def test_the_export_is_everybody_as_of_now(run, batches, whole_run, sales, tmp_path, capsys):
    before = exported(run, tmp_path / "before.parquet", "--customers")
    assert "ingested since" not in capsys.readouterr().out
    ingest(run, *batches)
    found = exported(run, tmp_path / "now.parquet", "--customers")
    segments, n_lines, n_new, n_moves = state(run)
    assert n_new > 0
    assert len(found) == len(before) + n_new == len(whole_run.all_customers)
    said = capsys.readouterr().out
    assert (
        f"6 batches were ingested since ({n_lines} lines): {len(found)} customers by now, {n_new} "
        f"of them new, {n_moves} moves"
    ) in said
    assert dict(found.select(pl.col("CustomerID").cast(pl.String), "segment").rows()) == segments
    assert found["name"].null_count() == found["segment"].null_count()
    assert found["CustomerID"].dtype == before["CustomerID"].dtype == pl.Int64
    # The features are those of one read of all sales.
    columns = whole_run.all_customers.columns
    assert all(found[name].to_list() == columns[name].tolist() for name in columns)
    database = f"sqlite:///{tmp_path / 'shop.db'}"
    assert export_command([str(run.path), "--to", database, "--customers"]) == 0
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        assert shop.execute("SELECT count(*) FROM segments").fetchone() == (len(found),)
    rows = exported(run, tmp_path / "rows.parquet")
    assert len(rows) == len(pl.read_csv(sales["first"], infer_schema=False))
    assert f"without the {n_lines} lines" in capsys.readouterr().out
    given = rows.drop_nulls("CustomerID").select(pl.col("CustomerID").cast(pl.String), "segment")
    assert all(segments[who] == number for who, number in given.rows())


def test_another_point_than_that_of_the_state_is_the_run_as_it_was(run_of, sales, tmp_path, capsys):
    run = run_of(
        tmp_path / "run", "dataset=online_retail", f"dataset.path={sales['first']}",
        "dataset.date_order=month_first", "algo.grid.n_clusters=[2,3]", "algo.params.tol=1e-4",
    )  # fmt: skip
    assert ingest_command([str(run.path), sales["batch0"], "--point", run.points[0]]) == 0
    point = run.points[1]
    found = exported(run, tmp_path / "out.parquet", "--customers", "--point", point)
    assert len(found) == len(run.all_customers)
    assert f"of {point} this is the run as it was before" in capsys.readouterr().out


def test_pages_of_the_run_say_that_it_is_the_run(run, whole_run, batches, capsys):
    report_command([str(run.path)])
    assert "as it was" not in (run.path / "report.html").read_text()
    ingest(run, *batches[:2])
    run = open_run(run.path)
    segments, n_lines, n_new, _ = state(run)
    text = f"({n_lines} lines): {len(segments)} customers by now, {n_new} of them new"
    assert f"{len(run.all_customers) + n_new} customers by now" in text
    capsys.readouterr()
    report_command([str(run.path)])
    page = re.sub(r"\s+", " ", (run.path / "report.html").read_text())
    assert "This page is about the run as it was. 2 batches were ingested since" in page
    assert text in page
    capsys.readouterr()
    name_command([str(run.path), "0=Others"])
    assert text in capsys.readouterr().out
    point = ["--point", run.points[0]]
    compare_command([str(run.path), str(whole_run.path), *point, *point])
    said = capsys.readouterr().out
    assert "A is compared as it was; 2 batches" in said
    assert "B is compared" not in said


def test_a_state_of_another_run_is_not_exported(run, batches, tmp_path):
    ingest(run, batches[0])
    with sqlite3.connect(run.path / "ingest" / "state.sqlite") as connection:
        connection.execute("UPDATE facts SET value = '\"another\"' WHERE name = 'run'")
    with pytest.raises(StoreError, match="is the state of another run"):
        exported(run, tmp_path / "out.parquet", "--customers")
