import pytest

from segrun.errors import ClaimError, StoreError
from segrun.rundir.directory import RunDirectory


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
