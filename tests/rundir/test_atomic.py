from pathlib import Path

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
