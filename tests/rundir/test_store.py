import csv
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.errors import ClaimError, StoreError
from segrun.rundir import atomic, store
from segrun.rundir.finished import open_run
from segrun.rundir.formulas import defused, restored
from segrun.rundir.store import RunDirectory


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


def test_who_adds_to_a_run_vouches_for_nothing_else(tmp_path):
    run = RunDirectory(tmp_path)
    for name in ("kept.txt", "changed.txt", "gone.txt", "renewed.txt", "dropped.txt"):
        run.write_text(name, "x")
    run.finish("done", "", {"segrun": version("segrun")})
    (tmp_path / "changed.txt").write_text("by somebody else")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "stray.txt").write_text("put there")
    with open_run(tmp_path).amend() as out:
        out.write_bytes("new.bin", b"y")
        out.write_text("renewed.txt", "z")
        out.remove("dropped.txt")
    now = open_run(tmp_path)
    old = hashlib.sha256(b"x").hexdigest()
    assert now.files == {
        "kept.txt": old,
        "changed.txt": old,
        "gone.txt": old,
        "renewed.txt": hashlib.sha256(b"z").hexdigest(),
        "new.bin": hashlib.sha256(b"y").hexdigest(),
    }
    for name, said in (("changed.txt", "not the file"), ("gone.txt", "is missing")):
        with pytest.raises(StoreError, match=said):
            now.file(name)


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\x00"])
def test_a_manifest_that_is_none_is_named(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        open_run(tmp_path)


def test_a_directory_takes_one_run_only(tmp_path):
    RunDirectory(tmp_path).finish("done", "", {})
    before = (tmp_path / "manifest.json").read_bytes()
    with pytest.raises(StoreError, match=r"hydra\.run\.dir"):
        RunDirectory(tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_an_unfinished_directory_takes_no_second_run(tmp_path):
    RunDirectory(tmp_path)
    with pytest.raises(ClaimError, match="in use"):
        RunDirectory(tmp_path)


def test_a_folder_with_foreign_files_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ClaimError, match=r"mine\.txt"):
        RunDirectory(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"hydra\.run\.dir"):
        RunDirectory(tmp_path / "file" / "run")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    def breaks(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(StoreError, match="No space left"):
        atomic.write_atomically(tmp_path / "table.csv", breaks)
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "old"


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def breaks(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic.write_atomically(tmp_path / "table.csv", breaks)
    assert list(tmp_path.iterdir()) == []


def test_a_table_reads_back_exactly(tmp_path):
    rows = [{"a": 0.1 + 0.2, "b": None, "c": True}, {"a": np.float64(1e-5), "d": 'x,"y"\nz'}]
    store.write_csv(tmp_path / "t.csv", rows)
    first, second = store.read_csv(tmp_path / "t.csv")
    assert float(first["a"]) == 0.1 + 0.2
    assert first == {"a": "0.30000000000000004", "b": "", "c": "true", "d": ""}
    assert second == {"a": "1e-05", "b": "", "c": "", "d": 'x,"y"\nz'}


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


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no run directory"):
        store.read_manifest(tmp_path)


def test_the_manifest_leaves_out_what_a_killed_writer_left(tmp_path):
    run = RunDirectory(tmp_path)
    (tmp_path / ".scores.csv.123.tmp").write_text("half")
    run.finish("done", "", {})
    assert json.loads((tmp_path / "manifest.json").read_text())["files"] == {}


def test_no_cell_of_a_table_is_a_formula_and_every_text_is_read_back(tmp_path):
    texts = ["=1+1", "'=1+1", "''@x", "-6", "-6\n", "+x", "'plain", "'", "", "\t", "\uff1d1", "a,b"]
    store.write_csv(tmp_path / "t.csv", [{"name": text, "number": -1.5} for text in texts])
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["name"] for row in csv.DictReader(file)]
    assert cells[:5] == ["'=1+1", "''=1+1", "'''@x", "-6", "'-6\n"]
    assert [cell for cell in cells if cell[:1] in tuple("=+@\t\uff1d")] == []
    assert [row["name"] for row in store.read_csv(tmp_path / "t.csv")] == texts
    assert {row["number"] for row in store.read_csv(tmp_path / "t.csv")} == {"-1.5"}


@given(text=st.text())
def test_a_text_that_is_defused_can_be_restored(text):
    cell = defused(text)
    assert restored(cell) == text
    assert cell[:1] not in tuple("=@\t\r\n")
