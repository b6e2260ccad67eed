"""Entries of the cache: whole or not there, one maker at a time, never removed while in use."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from segrun.cli.cache import cache_command, page
from segrun.data.cache.entry import Entry, entries, making
from segrun.errors import ConfigError, StoreError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEGRUN_CACHE", str(folder))
    return folder


def put(cache, key="abc", content="text"):
    entry = Entry("tables", key, cache)
    with making("tables", cache) as folder:
        (folder / "file").write_text(content)
        entry.keep(folder, "table of x.csv", {"n": 1})
    return entry


def test_what_is_kept_is_there_as_a_whole(cache):
    entry = put(cache)
    with entry.using() as told:
        assert told["facts"] == {"n": 1}
        assert (entry.path / "file").read_text() == "text"
    assert [found.key for found in entries(cache)] == ["abc"]
    assert [path.name for path in (cache / "tables").iterdir()] == ["abc"]


@pytest.mark.heavy
def test_clearing_removes_what_killed_processes_have_left(cache, capsys):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = [cache / "tables" / f"making-{gone.pid}-x", cache / f"reading-{gone.pid}-x"]
    own = cache / f"reading-{os.getpid()}-x"
    for folder in [*left, own]:
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(bytes(1000))
    assert cache_command(["clear"]) == 0
    assert "2 kB" in capsys.readouterr().out
    assert own.exists()
    assert not any(folder.exists() for folder in left)


def test_what_is_not_kept_goes(cache):
    with making("tables", cache) as folder:
        (folder / "file").write_text("text")
    assert not list((cache / "tables").iterdir())
    with Entry("tables", "abc", cache).using() as told:
        assert told is None


@pytest.mark.parametrize("damage", ["truncated", "gone", "told"])
def test_a_damaged_entry_is_none_and_can_be_made_anew(cache, damage, caplog):
    entry = put(cache)
    if damage == "truncated":
        (entry.path / "file").write_text("t")
    elif damage == "gone":
        (entry.path / "file").unlink()
    else:
        (entry.path / "entry.json").write_text("{")
    assert entry.told() is None
    assert "damaged" in caplog.text or damage == "gone"
    put(cache, content="again")
    assert entry.told() is not None


def test_an_entry_in_use_stays(cache, capsys):
    entry = put(cache)
    with entry.using():
        assert "in use" in page()
        assert cache_command(["clear"]) == 1
        assert entry.told() is not None
    assert f"used by process {os.getpid()}" in capsys.readouterr().err
    assert cache_command(["clear"]) == 0
    assert entries(cache) == []


@pytest.mark.heavy
def test_the_mark_of_a_killed_process_does_not_hold(cache):
    entry = put(cache)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (entry.path / f"in-use-{ended.pid}-x").touch()
    assert entry.remove()


def test_older_removes_what_was_not_used_for_so_long(cache):
    old, new = put(cache, "old"), put(cache, "new")
    past = time.time() - 10 * 86_400
    os.utime(old.path, (past, past))
    assert cache_command(["clear", "--older", "9"]) == 0
    assert [entry.key for entry in entries(cache)] == [new.key]


def test_the_page_tells_every_entry_and_the_total(cache):
    put(cache, "a", "x" * 1500)
    put(cache, "b", "x" * 500)
    told = page()
    assert told.count("table of x.csv") == 2
    assert "2 kept, 2." in told


@pytest.mark.heavy
@pytest.mark.parametrize("asked", [["clear", "--older", "x"], ["--older", "3"], ["clean"]])
def test_a_wrong_call_is_refused(cache, asked):
    with pytest.raises(ConfigError, match="segrun cache"):
        cache_command(asked)


@pytest.mark.heavy
def test_a_killed_maker_leaves_nothing_that_looks_whole(cache):
    code = (
        "import time; from pathlib import Path; from segrun.data.cache.entry import *\n"
        f"with making('tables', Path({str(cache)!r})) as folder:\n"
        "    (folder / 'file').write_text('half'); print('made', flush=True); time.sleep(60)"
    )
    maker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert maker.stdout.readline() == "made\n"
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    maker.stdout.close()
    assert entries(cache) == []
    assert list((cache / "tables").iterdir())
    put(cache)
    assert [path.name for path in (cache / "tables").iterdir()] == ["abc"]


def test_a_cache_that_cannot_be_written_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="SEGRUN_CACHE=DIR"), making("tables", tmp_path / "file"):
        pass


def test_what_is_told_is_plain(cache):
    entry = put(cache)
    assert json.loads((entry.path / "entry.json").read_text())["files"] == {"file": 4}
