"""Isolated workers: how jobs end, what limits do, and that nobody outlives anybody."""

from __future__ import annotations

import atexit
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

from segrun.sweep.pool import WorkerLimits, run_isolated

pytestmark = pytest.mark.heavy

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
    # A server of the session may run in this process's family.
    before = psutil.Process().children()
    yield
    left = [process for process in psutil.Process().children() if not _tracker(process)]
    assert [process for process in left if process not in before] == []


def _tracker(process):
    # multiprocessing's own, one per process: it ends with this one.
    return process.is_running() and "resource_tracker" in " ".join(process.cmdline())


def call(payload):
    function, *arguments = payload
    return function(*arguments)


def isolated(*payloads, **limits):
    return list(run_isolated(iter(payloads), call, WorkerLimits(**limits)))


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


def surroundings(folder, me, other):
    meet(folder, me, other)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return os.sched_getaffinity(0), {name: os.environ.get(name) for name in names}


def speak(folder):
    sys.stdout.write("in Python\n")
    os.write(1, b"by the system\n")
    subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)


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


def endure_in_c(folder):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (folder / "pids.new").write_text(f"{os.getpid()} {child.pid}")
    (folder / "pids.new").rename(folder / "pids")
    sum(range(10**12))


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


def test_payloads_and_values_may_be_large():
    results = isolated((bytes.upper, b"x" * 5 * MB), (bytes.upper, b"y" * 5 * MB))
    assert [result.value for result in results] == [b"X" * 5 * MB, b"Y" * 5 * MB]


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


def test_a_crash_in_c_tells_where(capfd):
    isolated((ctypes.string_at, 0))
    assert "string_at" in capfd.readouterr().err


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

    results = run_isolated(payloads(), call, WorkerLimits())
    events.extend(f"told {result.value}" for result in results)
    assert events == ["asked 0", "told 0", "asked 1", "told 1", "asked 2", "told 2"]


def test_two_workers_run_side_by_side_and_results_come_as_they_end(tmp_path):
    asked = []

    def payloads():
        for payload in [(time.sleep, 1.0), (abs, 1), (meet, tmp_path, "a", "b")]:
            asked.append(payload)
            yield payload
        yield (meet, tmp_path, "b", "a")

    results = run_isolated(payloads(), call, WorkerLimits(n_jobs=2))
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
    before = dict(os.environ)
    # They wait for each other, so that each worker tells of itself.
    pair = [(surroundings, tmp_path, "a", "b"), (surroundings, tmp_path, "b", "a")]
    shares = [result.value for result in isolated(*pair, n_jobs=2)]
    assert dict(os.environ) == before
    share = max(1, len(usable) // 2)
    for cores, variables in shares:
        assert len(cores) == share
        assert variables == {"OMP_NUM_THREADS": str(share), "MKL_NUM_THREADS": "5"}
    if len(usable) > 1:
        assert not shares[0][0] & shares[1][0]
    (alone,) = isolated((surroundings, tmp_path, "a", "b"))
    assert alone.value == (usable, {"OMP_NUM_THREADS": None, "MKL_NUM_THREADS": "5"})


def test_every_worker_prepares_once(tmp_path, monkeypatch):
    path = tmp_path / "prepared"
    monkeypatch.setenv("SEGRUN_TEST_PREPARED", str(path))
    payloads = [(abs, 1), (abs, 2), (os._exit, 3), (path.read_text,)]
    results = list(run_isolated(iter(payloads), call, WorkerLimits(), prepare=count_prepared))
    assert results[-1].value == "once\nonce\n"


@pytest.mark.parametrize(
    ("prepare", "status", "reason"),
    [
        (refuse, "raised", "the worker could not start: LookupError: nothing to import"),
        (os.abort, "crashed", "the worker could not start: killed by signal 6 (SIGABRT)"),
    ],
)
def test_a_worker_that_cannot_start_costs_its_job(prepare, status, reason):
    results = list(run_isolated(iter([(abs, 1), (abs, 2)]), call, WorkerLimits(), prepare=prepare))
    assert [(result.status, result.reason) for result in results] == [(status, reason)] * 2


def test_idle_workers_end_properly(tmp_path):
    isolated((atexit.register, (tmp_path / "ended").touch))
    assert (tmp_path / "ended").exists()


@linux
def test_the_kernel_would_rather_kill_a_worker():
    (result,) = isolated((Path("/proc/self/oom_score_adj").read_text,))
    assert int(result.value) >= 500


def test_an_error_of_the_payloads_comes_out():
    def payloads():
        yield (abs, 1)
        raise LookupError("no more")

    results = run_isolated(payloads(), call, WorkerLimits())
    assert next(results).value == 1
    with pytest.raises(LookupError, match="no more"):
        next(results)


def test_nobody_is_started_before_the_first_result_is_asked_for():
    run_isolated(iter([(abs, 1)]), call, WorkerLimits())


@posix
def test_closing_stops_what_runs(tmp_path):
    payloads = iter([(abs, 1), (endure, tmp_path)])
    with closing(run_isolated(payloads, call, WorkerLimits(n_jobs=2))) as results:
        assert next(results).value == 1
        pids = await_(lambda: _pids(tmp_path))
    assert (tmp_path / "heard").read_text() == "once\n"
    await_(lambda: not any(map(alive, pids)), 1)


@posix
def test_a_ctrl_c_of_somebody_else_ends_one_job():
    interrupted, after = isolated((signal.raise_signal, signal.SIGINT), (math.sqrt, 4.0))
    assert (interrupted.status, after.value) == ("interrupted", 2.0)


# Who is told to stop, and who dies with whom. The command is a script without a guard.

SCRIPT = """
import sys
from pathlib import Path
from segrun import interrupt
from segrun.sweep.pool import WorkerLimits, run_isolated
from tests.sweep import test_pool

interrupt.listen()
folder = Path(sys.argv[1])
with (folder / "began").open("a") as file:
    file.write("once\\n")
payloads = [(getattr(test_pool, sys.argv[2]), folder)]
limits = WorkerLimits(grace_seconds=float(sys.argv[3]), n_jobs=int(sys.argv[4]))
try:
    for result in run_isolated(iter(payloads), test_pool.call, limits):
        print("result", result.status, result.value)
except KeyboardInterrupt:
    import psutil
    left = psutil.Process().children()
    print("left", [one.pid for one in left if not test_pool._tracker(one)])
    raise
"""


@pytest.fixture
def command(tmp_path):
    """Start the script: command("endure") is its Popen."""
    started = []

    def start(function, grace=10.0, n_jobs=1):
        path = tmp_path / "unguarded.py"
        path.write_text(SCRIPT)
        words = [sys.executable, path, tmp_path, function, str(grace), str(n_jobs)]
        parent = subprocess.Popen(
            words, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(parent)
        return parent

    yield start
    for parent in started:
        parent.kill()
    # Whoever survived would hold the pipes open, and work on.
    for pid in filter(alive, _pids(tmp_path)):
        psutil.Process(pid).kill()
    for parent in started:
        with parent:
            pass


def _pids(folder):
    try:
        return [int(pid) for pid in (folder / "pids").read_text().split()]
    except FileNotFoundError:
        return []


@posix
def test_stdout_belongs_to_the_parent_and_its_script_runs_once(command, tmp_path):
    parent = command("speak", n_jobs=2)
    out, err = parent.communicate(timeout=20)
    assert out == "result returned None\n"
    assert sorted(err.splitlines()) == ["by a child", "by the system", "in Python"]
    assert (tmp_path / "began").read_text() == "once\n"


@posix
def test_ctrl_c_reaches_the_task_once_and_leaves_nobody(command, tmp_path):
    parent = command("endure", n_jobs=2)
    pids = await_(lambda: _pids(tmp_path))
    pids += [one.pid for one in psutil.Process(parent.pid).children(recursive=True)]
    # As a terminal does it: to the whole group.
    os.killpg(parent.pid, signal.SIGINT)
    out, err = parent.communicate(timeout=5)
    assert (out, parent.returncode) == ("left []\n", -signal.SIGINT)
    assert err.count("Traceback") == 1
    assert (tmp_path / "heard").read_text() == "once\n"
    await_(lambda: not any(map(alive, pids)), 1)


@posix
def test_ctrl_c_kills_who_does_not_stop_in_time(command, tmp_path):
    parent = command("endure_stubbornly", grace=0.5)
    pids = await_(lambda: _pids(tmp_path))
    os.killpg(parent.pid, signal.SIGINT)
    began = time.monotonic()
    assert parent.communicate(timeout=5)[0] == "left []\n"
    assert time.monotonic() - began > 0.4
    assert (tmp_path / "heard").exists()
    assert not alive(pids[0])


@posix
def test_a_second_ctrl_c_kills_at_once(command, tmp_path):
    parent = command("endure_stubbornly", grace=60)
    pids = await_(lambda: _pids(tmp_path))
    os.killpg(parent.pid, signal.SIGINT)
    await_((tmp_path / "heard").exists)
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=2)[0] == "left []\n"
    assert not alive(pids[0])


@posix
@pytest.mark.parametrize("delay", [0.0, 0.03, 0.08])
def test_ctrl_c_while_workers_start_is_the_parents_alone(command, delay):
    parent = command("endure", n_jobs=2)
    await_(lambda: _workers(parent.pid))
    time.sleep(delay)
    os.killpg(parent.pid, signal.SIGINT)
    out, err = parent.communicate(timeout=5)
    assert (out, err.count("Traceback")) == ("left []\n", 1)


@posix
@pytest.mark.parametrize("function", ["endure", "endure_in_c"])
def test_nobody_survives_the_parent(command, tmp_path, function):
    parent = command(function, n_jobs=2)
    pids = await_(lambda: _pids(tmp_path))
    pids += [one.pid for one in psutil.Process(parent.pid).children(recursive=True)]
    # The job, its child, the idle worker.
    assert len(set(pids)) >= 3
    parent.kill()
    await_(lambda: not any(map(alive, pids)), 1)


@linux
def test_workers_die_with_the_parent_even_if_nobody_kills_them(command, tmp_path):
    parent = command("endure_in_c", n_jobs=2)
    await_(lambda: _pids(tmp_path))
    workers = _workers(parent.pid)
    for process in psutil.Process(parent.pid).children():
        if process.pid not in workers and not _tracker(process):
            process.kill()
    parent.kill()
    await_(lambda: not any(map(alive, workers)), 1)
    psutil.Process(_pids(tmp_path)[1]).kill()


@posix
def test_a_command_that_forgets_its_results_ends_all_the_same(tmp_path):
    script = (
        "import sys; from pathlib import Path; from tests.sweep import test_pool as t;"
        "payloads = [(abs, 1), (t.endure, Path(sys.argv[1]))];"
        "results = t.run_isolated(iter(payloads), t.call, t.WorkerLimits(n_jobs=2));"
        "next(results); t.await_(lambda: t._pids(Path(sys.argv[1])))"
    )
    words = [sys.executable, "-c", script, tmp_path]
    done = subprocess.run(words, cwd=ROOT, timeout=15, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    await_(lambda: not any(map(alive, _pids(tmp_path))), 1)


def _workers(pid):
    found = psutil.Process(pid).children()
    return [process.pid for process in found if "spawn_main" in " ".join(process.cmdline())]
