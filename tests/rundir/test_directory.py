import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_array

from segrun import interrupt
from segrun.errors import ClaimError
from segrun.rundir import store
from segrun.rundir.directory import RunDirectory, record_end
from segrun.rundir.sparse import Items, SparseColumns, read_matrix


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


def test_after_ctrl_c_nothing_but_the_manifest_is_written(tmp_path, monkeypatch, customers):
    run = RunDirectory(tmp_path)
    run.write_text("before.txt", "x")
    monkeypatch.setattr(interrupt._state, "asked", True)
    for write in (
        lambda: run.write_text("a.txt", "x"), lambda: run.write_bytes("a.bin", b"x"),
        lambda: run.write_table("a.csv", [{"a": 1}]), lambda: run.write_model("k=2", 1),
        lambda: run.write_customers("a.parquet", customers),
    ):  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            write()
    run.finish("interrupted", "stopped", {})
    manifest = store.read_manifest(tmp_path)
    assert (manifest["status"], list(manifest["files"])) == ("interrupted", ["before.txt"])
    assert {path.name for path in tmp_path.iterdir()} == {"before.txt", "manifest.json"}


def test_a_manifest_vouches_for_all_but_the_log_its_own_files_and_what_is_ingested(tmp_path):
    run = RunDirectory(tmp_path, again=True)
    for name in ("segrun.log", "b.txt", "a/ingest/c.txt", "ingest/d.txt", "ingest/e/f.txt"):
        run.write_text(name, "x")
    assert (tmp_path / ".lock").exists()
    run.finish("done", "", {})
    assert list(store.read_manifest(tmp_path)["files"]) == ["a/ingest/c.txt", "b.txt"]
    assert not (tmp_path / ".lock").exists()


def test_what_each_writes_reads_back(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.write_json("a.json", {"path": tmp_path})
    run.write_bytes("b.bin", b"\x00\xff")
    run.write_table("c.csv", [{"a": 1, "b": None}])
    run.write_columns("d.parquet", {"x": np.array([1.5])})
    (tmp_path / "e").write_bytes(b"kept")
    run.keep("e.csv", tmp_path / "e")
    assert json.loads((run.path / "a.json").read_text()) == {"path": str(tmp_path)}
    assert (run.path / "b.bin").read_bytes() == b"\x00\xff"
    assert run.table("c.csv") == [{"a": "1", "b": ""}]
    assert run.table("none.csv") == []
    assert store.read_parquet(run.path / "d.parquet")["x"].tolist() == [1.5]
    assert (run.path / "e.csv").read_bytes() == (tmp_path / "e").read_bytes() == b"kept"


def test_models_and_labels_of_a_point_are_there_or_not(tmp_path, customers):
    run = RunDirectory(tmp_path)
    for point in ("k=2", "k=3"):
        run.write_model(point, {"of": point})
    run.write_labels("k=2", customers, np.arange(7))
    assert run.labels("k=2").tolist() == list(range(7))
    assert run.labels("k=3") is None
    run.remove_models(["k=2", "k=9"])
    assert [run.has_model(f"k={k}") for k in (2, 3, 9)] == [False, True, False]


def test_notes_of_points_that_are_none_are_left_out(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.points() == {}
    run.write_json("points.json", {"k=2": {"key": "a"}, "k=3": "spoilt"})
    assert run.points() == {"k=2": {"key": "a"}}


def test_copies_of_customers_have_their_number_behind_the_id(tmp_path, customers):
    copies = replace(customers, replica=np.arange(7))
    RunDirectory(tmp_path).write_customers("features.parquet", copies)
    frame = pl.read_parquet(tmp_path / "features.parquet")
    assert frame.columns == ["CustomerID", "replica", "Amount", "NumberOfOrders", "Recency"]
    assert frame["replica"].to_list() == list(range(7))


def test_ratings_stand_beside_their_users_and_items(tmp_path, customers):
    matrix = csr_array(np.eye(7, 2))
    items = Items(np.array(["a", "b"], dtype=object), np.array(["A", "B"], dtype=object),
                  np.array([1, 1]), np.array([1.0, 2.0]))  # fmt: skip
    sparse = replace(customers, columns=SparseColumns(matrix, items))
    RunDirectory(tmp_path).write_customers("features.parquet", sparse)
    assert pl.read_parquet(tmp_path / "features.parquet").columns == ["CustomerID"]
    assert np.array_equal(read_matrix(tmp_path / "features.npz").toarray(), matrix.toarray())
    found = Items(**store.read_parquet(tmp_path / "items.parquet"))
    assert (found.ids.tolist(), found.names()) == (["a", "b"], ["A", "B"])


def test_the_manifest_says_when_how_and_what_else(tmp_path):
    run = RunDirectory(tmp_path)
    run.finish("failed", "no rows", {"rows": 7})
    manifest = store.read_manifest(tmp_path)
    assert (manifest["reason"], manifest["rows"]) == ("no rows", 7)
    began, ended = (datetime.fromisoformat(manifest[name]) for name in ("started", "finished"))
    assert timedelta(0) <= ended - began < timedelta(minutes=1)
    assert abs(datetime.now(UTC) - ended) < timedelta(minutes=1)


def test_a_run_that_could_not_say_so_itself_has_manifest_and_records(tmp_path):
    record_end(tmp_path / "a", ("failed", "killed"), {"rows": 1}, {"experiment.yaml": "x: 1"})
    manifest = store.read_manifest(tmp_path / "a")
    assert (manifest["status"], manifest["reason"], manifest["rows"]) == ("failed", "killed", 1)
    assert list(manifest["files"]) == ["experiment.yaml"]
    RunDirectory(tmp_path / "b")
    with pytest.raises(ClaimError):
        record_end(tmp_path / "b", ("failed", "killed"), {}, {})
    record_end(tmp_path / "b", ("failed", "killed"), {}, {}, again=True)
    assert store.read_manifest(tmp_path / "b")["status"] == "failed"
