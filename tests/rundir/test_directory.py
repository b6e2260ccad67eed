import hashlib
import json

import numpy as np
import polars as pl

from segrun.rundir import store
from segrun.rundir.directory import RunDirectory


def test_a_directory_without_manifest_says_that_it_is_unfinished(tmp_path):
    RunDirectory(tmp_path / "run")
    assert "not finished" in (tmp_path / "run" / "UNFINISHED").read_text()
    assert store.read_manifest(tmp_path / "run")["status"] == "unfinished"


def test_finish_writes_the_manifest_and_takes_the_marker_away(tmp_path):
    run = RunDirectory(tmp_path)
    run.write_text("a/b.txt", "x")
    run.finish("done", "", {"selected": None})
    assert not (tmp_path / "UNFINISHED").exists()
    manifest = store.read_manifest(tmp_path)
    assert manifest["status"] == "done"
    assert manifest["files"] == {"a/b.txt": hashlib.sha256(b"x").hexdigest()}


def test_customers_keep_their_types_and_the_ids_are_text(tmp_path, customers):
    RunDirectory(tmp_path).write_customers("features.parquet", customers)
    frame = pl.read_parquet(tmp_path / "features.parquet")
    assert frame.schema == {
        "CustomerID": pl.String, "Amount": pl.Float64, "NumberOfOrders": pl.Int64,
        "Recency": pl.Int64,
    }  # fmt: skip
    assert np.array_equal(frame.drop("CustomerID").to_numpy(), customers.X())


def test_labels_stand_beside_the_ids(tmp_path, customers):
    labels = np.array([0, 1, -1, 0, 2, 1, 0])
    RunDirectory(tmp_path).write_labels("eps=0.3", customers, labels)
    frame = pl.read_parquet(tmp_path / "predictions" / "eps=0.3.parquet")
    assert frame.columns == ["CustomerID", "label"]
    assert frame["CustomerID"].to_list() == list(customers.ids)
    assert frame["label"].to_list() == list(labels)


def test_the_manifest_leaves_out_what_a_killed_writer_left(tmp_path):
    run = RunDirectory(tmp_path)
    (tmp_path / ".scores.csv.123.tmp").write_text("half")
    run.finish("done", "", {})
    assert json.loads((tmp_path / "manifest.json").read_text())["files"] == {}
