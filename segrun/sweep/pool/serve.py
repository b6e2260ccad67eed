"""What runs in the process of a worker."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from segrun import interrupt
from segrun.rundir import timings

#: Read by a library when it is loaded.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)  # fmt: skip
#: For the OOM killer: the worst that the kernel knows is 1000; the parent has 0.
_OOM_SCORE = 500


class WorkerReply(NamedTuple):
    """How a job ended that did not take its worker along.

    `status` is returned, raised, oom or interrupted; `value` is pickled, empty unless it returned.
    """

    status: str
    value: bytes
    reason: str
    wall_seconds: float
    peak_rss_bytes: int | None


def serve(connection: Connection[Any, Any], share: int | None, number: int) -> None:
    """Do one job after the other until the parent closes the connection.

    It brings the pickled task with its preparation, then pickled payloads. It takes back why the
    worker cannot start, an empty text if it can, and then a `WorkerReply` to every payload. `share`
    is how many cores each of several workers has, `number` which of them this is.
    """
    _die_with_parent()
    _leave_terminal()
    if sys.stderr is not None:
        faulthandler.enable()
    if share is not None:
        _limit(share, number)
    _prefer_this_to_the_parent()
    # A Ctrl-C that comes too late for a job, or the end of the parent.
    with connection, suppress(KeyboardInterrupt, EOFError, OSError):
        _work(connection)


def _work(connection: Connection[Any, Any]) -> None:
    try:
        task, prepare = pickle.loads(connection.recv_bytes())  # noqa: S301 - from the parent
        if prepare is not None:
            prepare()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an import raises
        connection.send(describe(error))
        return
    connection.send("")
    while not interrupt.asked():
        reply = _perform(task, connection.recv_bytes())
        with interrupt.deferred():
            connection.send(reply)


def _perform(task: Callable[[Any], Any], payload: bytes) -> WorkerReply:
    timings.reset_peak()
    started = time.perf_counter()
    status, value, reason = "returned", b"", ""
    try:
        value = pickle.dumps(task(pickle.loads(payload)))  # noqa: S301 - from the parent
        interrupt.check()
    except KeyboardInterrupt:
        status, value, reason = "interrupted", b"", "stopped by Ctrl-C"
    except MemoryError as error:
        status, reason = "oom", describe(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit, for one, ends the job alone
        status, reason = "raised", describe(error)
    return WorkerReply(
        status, value, reason, time.perf_counter() - started, timings.peak_rss_bytes()
    )


def describe(error: BaseException) -> str:
    """Return an error as one line."""
    return f"{type(error).__name__}: {error}"


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            # PR_SET_PDEATHSIG, prctl(2): also while the thread below cannot run.
            ctypes.CDLL(None).prctl(1, ctypes.c_ulong(signal.SIGKILL))
    # It may have died before.
    if os.name == "posix" and os.getppid() != parent.pid:
        os._exit(1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _leave_terminal() -> None:
    """Hear of a Ctrl-C from the parent only, and leave stdout to its results."""
    if hasattr(os, "setsid"):
        os.setsid()
    # One from the terminal may wait since the start: it is the parent's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # The parent's way of asking, also where it was started with Ctrl-C ignored (nohup).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt.listen()
    # Closed by whoever called the command (2>&-), which progress cannot bear.
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    with suppress(OSError):
        os.dup2(2, 1)


def _limit(share: int, number: int) -> None:
    """Stay on a share of the cores, oneTBB obeys nothing else, and with as many threads."""
    set_threads(share)
    if hasattr(os, "sched_getaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        own = {usable[(number * share + i) % len(usable)] for i in range(share)}
        os.sched_setaffinity(0, own)


def set_threads(n_threads: int) -> None:
    """Limit the threads of libraries that are loaded later; what the user has set stays."""
    for name in _THREAD_VARIABLES:
        os.environ.setdefault(name, str(n_threads))


def _prefer_this_to_the_parent() -> None:
    """Make the OOM killer choose this process and not its parent."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError, ValueError):
        if int(path.read_text()) < _OOM_SCORE:
            path.write_text(str(_OOM_SCORE))
