import subprocess
import sys
import time
from collections import deque
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from segrun.rundir import timings
from segrun.rundir.timings import Timing, Timings


@pytest.mark.heavy
def test_a_stage_is_timed_and_named():
    told = Timings()
    with told.stage("load", "k=2", 1):
        time.sleep(0.12)
    (row,) = told.table()
    assert (row["stage"], row["point"], row["repeat"]) == ("load", "k=2", 1)
    assert 0.12 <= row["wall_seconds"] < 5
    assert row["cpu_seconds"] < row["wall_seconds"]


def test_the_columns_are_the_contract():
    told = Timings()
    with told.stage("load"):
        pass
    assert (
        list(told.table()[0])
        == (
            "stage point repeat wall_seconds cpu_seconds peak_rss_bytes backend_asked backend_ran "
            "reason shared cold other_load attempt n_parallel"
        ).split()
    )


def test_a_stage_that_raises_leaves_its_row():
    told = Timings()
    with pytest.raises(RuntimeError), told.stage("load"):
        raise RuntimeError
    assert len(told.rows) == 1


@pytest.mark.heavy
def test_only_the_first_of_a_kind_is_cold():
    code = (
        "from segrun.rundir.timings import Timings\n"
        "for _ in range(2):\n"
        "    t = Timings()\n"
        "    for stage in ('load', 'fit'):\n"
        "        with t.stage(stage): pass\n"
        "    print([row.cold for row in t.rows])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[True, True]", "[False, False]"]


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the peak per stage")
def test_the_peak_is_of_the_stage_alone():
    told = Timings()
    with told.stage("load"):
        np.ones(40_000_000)  # 320 MB, freed at once
    with told.stage("features"):
        pass
    large, small = told.rows
    assert large.peak_rss_bytes > small.peak_rss_bytes + 250_000_000


@pytest.mark.heavy
def test_the_load_of_another_process_is_seen():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        told = Timings()
        with told.stage("load"):
            time.sleep(1.0)
    finally:
        busy.kill()
        busy.wait()
    assert told.rows[0].other_load > 0.5


@pytest.mark.heavy
def test_the_load_of_a_short_stage_is_that_of_the_half_second_before():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        told = Timings()
        with told.stage("load"):
            time.sleep(0.8)
        for _ in range(50):
            with told.stage("fit"):
                time.sleep(0.02)
    finally:
        busy.kill()
        busy.wait()
    assert all(row.other_load > 0.5 for row in told.rows[-10:])


def test_a_fit_brings_its_own_times_and_the_stage_the_rest():
    with Timings([{"attempt": "0"}, {"attempt": "1"}], n_parallel=3).stage("fit", "k=2") as row:
        row.wall_seconds, row.cpu_seconds = 7.0, 8.0
    assert (row.wall_seconds, row.cpu_seconds) == (7.0, 8.0)
    assert (row.attempt, row.n_parallel, row.repeat, row.shared) == (2, 3, 0, False)
    with Timings().stage("load") as row:
        sum(range(200_000))
    assert row.cpu_seconds > 0
    assert (row.attempt, row.n_parallel) == (0, 1)
    assert row.wall_seconds < 5


def test_a_stage_is_cold_once(monkeypatch):
    monkeypatch.setattr(timings, "_seen", set())
    told = Timings()
    for name in ("load", "fit", "load"):
        with told.stage(name):
            pass
    assert [row.cold for row in told.rows] == [True, True, False]


def test_only_shared_fits_of_one_repeat_are_dropped_and_the_first_stay():
    told = Timings()
    told.rows = [Timing("fit", f"k={k}", r, shared=k > 2) for r in (0, 1) for k in (2, 3, 4, 5)]
    told.drop_shared(after=1, repeat=1)
    assert [(row.point, row.repeat) for row in told.rows] == [
        *((f"k={k}", 0) for k in (2, 3, 4, 5)), ("k=2", 1), ("k=3", 1),
    ]  # fmt: skip


def test_rows_of_earlier_attempts_come_first_and_their_ended_fits_are_known():
    row = {"attempt": "0", "point": "k=2", "backend_ran": "sklearn"}
    before = [
        row | {"stage": "fit", "repeat": "0"},
        row | {"stage": "fit", "repeat": "1"},
        row | {"stage": "fit", "repeat": "2", "backend_ran": ""},
        row | {"stage": "store", "repeat": "3"},
    ]
    told = Timings(before)
    with told.stage("evaluate"):
        pass
    assert told.fitted_before() == {("k=2", 0), ("k=2", 1)}
    assert told.table()[:4] == before
    assert told.table()[4]["stage"] == "evaluate"


@pytest.mark.parametrize(
    ("until", "load"),
    [
        ((2, 9, 3), 1.0),
        ((3, 9, 3), 0.667),
        ((2, 4, 3), 0.0),
        ((0.05, 9, 3), None),
        ((0.1, 5.3, 1.1), 2.0),
    ],
)
def test_the_load_is_what_others_computed_per_second(until, load):
    # At second 0 the machine had computed 5 s, 1 s of them this process.
    found = timings._load(timings._Mark(0, 5, 1), timings._Mark(*until))
    assert found == (None if load is None else pytest.approx(load))


def test_marks_that_are_older_than_the_load_needs_are_dropped(monkeypatch):
    now = time.perf_counter()
    old = [timings._Mark(now - ago, 0.0, 0.0) for ago in (3, 2, 0.1)]
    monkeypatch.setattr(timings, "_marks", deque(old))
    new = timings._mark()
    assert list(timings._marks) == [*old[1:], new]
    assert new.wall == pytest.approx(now, abs=60)


def test_the_machine_is_busy_where_it_neither_idles_nor_waits():
    def busy():
        told = psutil.cpu_times()._asdict()
        names = set(told) - {"idle", "iowait", "guest", "guest_nice"}
        # The time of guests is in that of users.
        return sum(told[name] for name in names)

    before, found, after = busy(), timings._busy_seconds(), busy()
    assert before - 0.1 <= found <= after + 0.1
    assert timings._guest(SimpleNamespace(guest=1.0, guest_nice=2.0)) == 3.0
    assert timings._guest(object()) == 0.0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_peak_is_in_bytes_and_no_less_than_what_is_resident():
    resident = psutil.Process().memory_info().rss
    for peak in (timings.peak_rss_bytes(), 1024 * timings._peak_rss_bytes_elsewhere()):
        assert 0.9 * resident < peak < 20 * resident
