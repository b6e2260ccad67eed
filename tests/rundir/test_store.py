import csv
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.errors import StoreError
from segrun.rundir import store
from segrun.rundir.store import defused, restored


def test_a_table_reads_back_exactly(tmp_path):
    rows = [{"a": 0.1 + 0.2, "b": None, "c": True}, {"a": np.float64(1e-5), "d": 'x,"y"\nz'}]
    store.write_csv(tmp_path / "t.csv", rows)
    first, second = store.read_csv(tmp_path / "t.csv")
    assert float(first["a"]) == 0.1 + 0.2
    assert first == {"a": "0.30000000000000004", "b": "", "c": "true", "d": ""}
    assert second == {"a": "1e-05", "b": "", "c": "", "d": 'x,"y"\nz'}


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no run directory"):
        store.read_manifest(tmp_path)


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


def test_a_mapping_is_read_where_there_is_one(tmp_path):
    for name, content in (("a", '{"x": 1}'), ("b", "[1]")):
        (tmp_path / name).write_text(content)
    assert [store.read_json(tmp_path / name) for name in "abc"] == [{"x": 1}, {}, {}]


def test_columns_read_back_with_their_types_and_missing_texts(tmp_path):
    columns = {
        "text": np.array([None, "a", "1"], dtype=object), "n": np.array([1, 2, 3]),
        "x": np.array([0.5, np.nan, 2.0]),
    }  # fmt: skip
    store.write_parquet(tmp_path / "t.parquet", columns)
    found = store.read_parquet(tmp_path / "t.parquet")
    assert list(found) == list(columns)
    assert found["text"].tolist() == [None, "a", "1"]
    assert found["n"].dtype == np.int64
    assert np.array_equal(found["x"], columns["x"], equal_nan=True)
    (tmp_path / "t.parquet").write_text("none")
    with pytest.raises(StoreError, match=r"t\.parquet cannot be read"):
        store.read_parquet(tmp_path / "t.parquet")


def test_files_have_their_names_and_their_digest(tmp_path):
    names = store.model_name("k=2"), store.labels_name("k=2"), store.matrix_name("f.parquet")
    assert names == ("models/k=2.joblib", "predictions/k=2.parquet", "f.npz")
    (tmp_path / "a").write_bytes(b"abc")
    assert store.sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_truth_value_is_a_word_and_a_number_is_none(tmp_path):
    store.write_csv(tmp_path / "t.csv", [{"a": np.bool_(False), "b": 0, "c": np.float32(0.5)}])
    assert store.read_csv(tmp_path / "t.csv") == [{"a": "false", "b": "0", "c": "0.5"}]
