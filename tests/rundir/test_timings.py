import subprocess
import sys
import time

import numpy as np
import pytest

from segrun.rundir.timings import Timings

pytestmark = pytest.mark.heavy


def test_a_stage_is_timed_and_named():
    timings = Timings()
    with timings.stage("load", "k=2", 1):
        time.sleep(0.12)
    (row,) = timings.table()
    assert (row["stage"], row["point"], row["repeat"]) == ("load", "k=2", 1)
    assert 0.12 <= row["wall_seconds"] < 5
    assert row["cpu_seconds"] < row["wall_seconds"]


def test_the_columns_are_the_contract():
    timings = Timings()
    with timings.stage("load"):
        pass
    assert (
        list(timings.table()[0])
        == (
            "stage point repeat wall_seconds cpu_seconds peak_rss_bytes backend_asked backend_ran "
            "reason shared cold other_load attempt n_parallel"
        ).split()
    )


def test_a_stage_that_raises_leaves_its_row():
    timings = Timings()
    with pytest.raises(RuntimeError), timings.stage("load"):
        raise RuntimeError
    assert len(timings.rows) == 1


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the peak per stage")
def test_the_peak_is_of_the_stage_alone():
    timings = Timings()
    with timings.stage("load"):
        np.ones(40_000_000)  # 320 MB, freed at once
    with timings.stage("features"):
        pass
    large, small = timings.rows
    assert large.peak_rss_bytes > small.peak_rss_bytes + 250_000_000


def test_the_load_of_another_process_is_seen():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        timings = Timings()
        with timings.stage("load"):
            time.sleep(1.0)
    finally:
        busy.kill()
        busy.wait()
    assert timings.rows[0].other_load > 0.5


def test_the_load_of_a_short_stage_is_that_of_the_half_second_before():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        timings = Timings()
        with timings.stage("load"):
            time.sleep(0.8)
        for _ in range(50):
            with timings.stage("fit"):
                time.sleep(0.02)
    finally:
        busy.kill()
        busy.wait()
    assert all(row.other_load > 0.5 for row in timings.rows[-10:])
