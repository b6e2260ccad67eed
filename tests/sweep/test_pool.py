"""Isolated workers: how jobs end, what limits do, and that nobody outlives anybody."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from segrun.sweep.pool import Limits, run_isolated

ROOT = Path(__file__).parents[2]
MB = 1_000_000

posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Workers find this module where pytest was not started as a module of Python."""
    monkeypatch.syspath_prepend(ROOT)


@pytest.fixture(autouse=True)
def _all_gone():
    """No test leaves a process, or one that is dead and was not asked how it died."""
    yield
    left = [process for process in psutil.Process().children() if not _tracker(process)]
    assert left == []


def _tracker(process):
    # multiprocessing's own, one per process: it ends with this one.
    return process.is_running() and "resource_tracker" in " ".join(process.cmdline())


def call(payload):
    function, *arguments = payload
    return function(*arguments)


def isolated(*payloads, **limits):
    return list(run_isolated(iter(payloads), call, Limits(**limits)))


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return found


# What workers do.


def fail(error):
    raise error


def refuse():
    raise LookupError("nothing to import")


def grow(n_bytes):
    kept = bytearray()
    while len(kept) < n_bytes:
        kept += b"x" * (10 * MB)
    time.sleep(60)


def allocate(n_bytes):
    return len(b"x" * n_bytes)


def allocate_in_child(folder, n_bytes):
    script = f"kept = b'x' * {n_bytes}; import time; time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    (folder / "child").write_text(str(child.pid))
    child.wait()


def fork_with(n_bytes):
    kept = b"x" * n_bytes
    pid = os.fork()
    if not pid:
        time.sleep(0.5)
        os._exit(0)
    os.waitpid(pid, 0)
    return len(kept)


def die_before_child(folder):
    pid = os.fork()
    if not pid:
        time.sleep(60)
    (folder / "child").write_text(str(pid))
    os._exit(7)


def meet(folder, me, other):
    (folder / me).touch()
    await_((folder / other).exists)


def surroundings():
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "MKL_NUM_THREADS")
    return os.sched_getaffinity(0), {name: os.environ.get(name) for name in names}


def endure(folder):
    """Work for long, beside a child; note every Ctrl-C."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (folder / "pids.new").write_text(f"{os.getpid()} {child.pid}")
    (folder / "pids.new").rename(folder / "pids")
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        with (folder / "heard").open("a") as file:
            file.write("once\n")
        raise


def endure_stubbornly(folder):
    (folder / "pids").write_text(str(os.getpid()))
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            (folder / "heard").touch()


def count_prepared():
    with Path(os.environ["SEGRUN_TEST_PREPARED"]).open("a") as file:
        file.write("once\n")


# How jobs end.


def test_tells_what_a_task_returned_or_raised_and_keeps_its_worker():
    results = isolated(
        (math.sqrt, 4.0), (math.sqrt, -1.0), (sys.exit, 3), (fail, MemoryError("no room")),
        (time.sleep, 0.2), (os.getpid,),
    )  # fmt: skip
    assert [(result.status, result.value, result.reason) for result in results[:4]] == [
        ("returned", 2.0, ""),
        ("raised", None, "ValueError: math domain error"),
        ("raised", None, "SystemExit: 3"),
        ("oom", None, "MemoryError: no room"),
    ]
    assert 0.2 <= results[4].wall_seconds < 0.5
    assert {result.pid for result in results} == {results[-1].value}
    assert results[0].pid != os.getpid()
    assert results[1].payload == (math.sqrt, -1.0)


def test_what_cannot_be_sent_is_an_error_of_that_job():
    results = isolated((compile, "1", "", "eval"), (math.sqrt, 4.0))
    assert [result.status for result in results] == ["raised", "returned"]
    assert "pickle" in results[0].reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param((signal.raise_signal, 9), "killed by signal 9 (SIGKILL)", marks=posix),
        pytest.param((ctypes.string_at, 0), "killed by signal 11 (SIGSEGV)", marks=posix),
        ((os._exit, 3), "ended with exit code 3"),
        ((os._exit, 0), "ended with exit code 0"),
    ],
)
def test_a_crash_ends_one_job_only(payload, reason):
    crashed, after = isolated(payload, (os.getpid,))
    assert (crashed.status, crashed.reason, crashed.value) == ("crashed", reason, None)
    assert after.status == "returned"
    assert after.pid == after.value != crashed.pid


def test_passing_the_ceiling_is_oom():
    oom, after = isolated((grow, 3000 * MB), (math.sqrt, 4.0), max_rss_bytes=300 * MB)
    assert oom.status == "oom"
    assert oom.reason.endswith("passed the ceiling of 300 MB")
    assert 300 * MB < oom.peak_rss_bytes < 3000 * MB
    assert oom.wall_seconds < 10
    assert (after.value, after.peak_rss_bytes < 300 * MB) == (2.0, True)


def test_children_count_and_die_with_the_worker(tmp_path):
    payload = (allocate_in_child, tmp_path, 400 * MB)
    (oom,) = isolated(payload, max_rss_bytes=300 * MB)
    assert (oom.status, oom.peak_rss_bytes > 300 * MB) == ("oom", True)
    await_(lambda: not alive(int((tmp_path / "child").read_text())), 2)


@linux
def test_pages_in_common_count_once():
    (result,) = isolated((fork_with, 200 * MB), max_rss_bytes=350 * MB)
    assert result.status == "returned"


@posix
def test_a_child_neither_hides_nor_survives_the_death_of_its_worker(tmp_path):
    (crashed,) = isolated((die_before_child, tmp_path))
    assert (crashed.status, crashed.reason) == ("crashed", "ended with exit code 7")
    assert crashed.wall_seconds < 10
    await_(lambda: not alive(int((tmp_path / "child").read_text())), 2)


@pytest.mark.parametrize("payload", [(time.sleep, 60), (sum, range(10**12))])
def test_passing_the_time_limit_is_a_timeout(payload):
    timeout, after = isolated(payload, (math.sqrt, 4.0), time_limit_seconds=0.5)
    assert (timeout.status, timeout.reason) == ("timeout", "not ended after 0.5 s")
    assert 0.5 < timeout.wall_seconds < 2
    assert (after.status, after.value) == ("returned", 2.0)


@linux
def test_the_peak_is_that_of_the_job():
    high, low = isolated((allocate, 200 * MB), (math.sqrt, 4.0))
    assert high.peak_rss_bytes > 200 * MB > low.peak_rss_bytes > MB


# How workers are served.


def test_one_worker_gets_no_payload_before_its_result_was_consumed():
    events = []

    def payloads():
        for i in range(3):
            events.append(f"asked {i}")
            yield (abs, i)

    for result in run_isolated(payloads(), call, Limits()):
        events.append(f"told {result.value}")
    assert events == ["asked 0", "told 0", "asked 1", "told 1", "asked 2", "told 2"]


def test_two_workers_run_side_by_side_and_results_come_as_they_end(tmp_path):
    asked = []

    def payloads():
        for payload in [(time.sleep, 1.0), (abs, 1), (meet, tmp_path, "a", "b")]:
            asked.append(payload)
            yield payload
        yield (meet, tmp_path, "b", "a")

    results = run_isolated(payloads(), call, Limits(n_jobs=2))
    first = next(results)
    assert first.value == 1
    # The free worker has the next one before the caller has the result.
    assert len(asked) == 3
    rest = list(results)
    assert {result.status for result in rest} == {"returned"}
    assert len({result.pid for result in [first, *rest]}) == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen")
def test_workers_side_by_side_share_the_cores(tmp_path, monkeypatch):
    usable = os.sched_getaffinity(0)
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    # Two meet, so that each worker gets one of both.
    meetings = [(meet, tmp_path, "a", "b"), (meet, tmp_path, "b", "a")]
    payloads = [*meetings, (surroundings,), (meet, tmp_path, "c", "d"), (surroundings,)]
    before = dict(os.environ)
    found = {}
    for result in run_isolated(iter(payloads[:2]), call, Limits(n_jobs=2)):
        found[result.pid] = result
    assert len(found) == 2
    shares = [
        result.value
        for result in run_isolated(
            iter([(surroundings_after, tmp_path, "x", "y"), (surroundings_after, tmp_path, "y", "x")]),
            call,
            Limits(n_jobs=2),
        )
    ]
    assert dict(os.environ) == before
    n_threads = max(1, len(usable) // 2)
    for cores, variables in shares:
        assert len(cores) == n_threads
        assert variables == {
            "OMP_NUM_THREADS": str(n_threads), "OPENBLAS_NUM_THREADS": str(n_threads),
            "POLARS_MAX_THREADS": str(n_threads), "MKL_NUM_THREADS": "5",
        }  # fmt: skip
    if len(usable) > 1:
        assert not shares[0][0] & shares[1][0]
