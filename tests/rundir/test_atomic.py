import os
from pathlib import Path

import psutil
import pytest

from segrun.errors import StoreError
from segrun.rundir import atomic


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


def test_only_what_a_dead_writer_left_of_this_file_is_removed(tmp_path):
    dead = next(n for n in range(4_000_000, 5_000_000) if not psutil.pid_exists(n))
    kept = {f".b.{dead}.tmp", f".a.{os.getpid()}.tmp", ".a.old.tmp", f"a.{dead}.tmp"}
    for name in (*kept, f".a.{dead}.tmp", f".a.part.{dead}.tmp"):
        (tmp_path / name).write_text("half")
    atomic.remove_leftovers(tmp_path, "a")
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_temporary_file_is_hidden_and_ends_in_tmp():
    found = [atomic.is_temporary(Path(name)) for name in (".a.1.tmp", "a.1.tmp", ".a", "a")]
    assert found == [True, False, False, False]


def test_texts_and_bytes_are_written_below_folders_that_are_not_there(tmp_path):
    atomic.write_text(tmp_path / "a" / "b" / "c.txt", "é")
    atomic.write_bytes(tmp_path / "a" / "b" / "c.txt", b"\xff")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"\xff"
    atomic.write_text(tmp_path / "a" / "b" / "c.txt", "é")
    assert (tmp_path / "a" / "b" / "c.txt").read_text(encoding="utf-8") == "é"
