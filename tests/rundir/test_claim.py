import json
import os

import pytest

from segrun.errors import ClaimError, StoreError
from segrun.rundir import claim
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


def test_an_earlier_attempt_is_gone_on_with_alone(tmp_path):
    (tmp_path / "kept.txt").write_text("x")
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "a").mkdir()
    for name in (".kept.txt.1.tmp", "a/.half.1.tmp"):
        (tmp_path / name).write_text("half")
    lock = claim.reopen(tmp_path, "today")
    assert lock.is_locked
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert there == {"kept.txt", "a", ".lock", "UNFINISHED"}
    told = (tmp_path / "UNFINISHED").read_text()
    assert f"started today by process {os.getpid()}" in told
    with pytest.raises(ClaimError, match="somebody"):
        claim.locked(tmp_path, 0, "somebody else")
    lock.release()
    claim.locked(tmp_path / "new", 0, "").release()


def failed(folder, status="failed"):
    folder.mkdir(parents=True)
    (folder.parent / "outside.txt").write_text("x")
    run = RunDirectory(folder)
    for name in ("a.txt", "b/c/d.txt"):
        run.write_text(name, "x")
    run.finish(status, "", {})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../outside.txt"] = ""
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "segrun.log").write_text("x")


def test_what_a_failed_run_left_goes_and_its_log_and_what_is_not_its_own_stay(tmp_path):
    failed(tmp_path / "run")
    claim.clear_failed(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["segrun.log"]
    assert (tmp_path / "outside.txt").is_file()
    RunDirectory(tmp_path / "run")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"files": {"a.txt": ""}}'])
def test_what_is_no_failed_run_is_left_alone(tmp_path, content):
    (tmp_path / "a.txt").write_text("x")
    if content:
        (tmp_path / "manifest.json").write_text(content)
    before = sorted(tmp_path.iterdir())
    claim.clear_failed(tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    failed(tmp_path / "done", "done")
    claim.clear_failed(tmp_path / "done")
    assert (tmp_path / "done" / "b" / "c" / "d.txt").is_file()


def test_a_run_that_was_refused_leaves_no_folder_that_it_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed(tmp_path / "outputs" / "mine" / "run")
    (tmp_path / "outputs" / "mine" / "outside.txt").unlink()
    claim.withdraw(tmp_path / "outputs" / "mine" / "run")
    assert list(tmp_path.iterdir()) == []
    failed(tmp_path / "other" / "run")
    (tmp_path / "other" / "run" / "foreign.txt").write_text("x")
    claim.withdraw(tmp_path / "other" / "run")
    names = {path.name for path in (tmp_path / "other" / "run").iterdir()}
    assert names == {"foreign.txt", "segrun.log"}


def test_no_folder_is_removed_at_or_above_the_last(tmp_path):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    claim.remove_empty(tmp_path / "a" / "b" / "c", tmp_path / "a")
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]


def test_the_log_that_was_begun_is_no_other_run(tmp_path):
    (tmp_path / "segrun.log").write_text("begun")
    claim.claim(tmp_path, "today")
    assert "today" in (tmp_path / "UNFINISHED").read_text()
