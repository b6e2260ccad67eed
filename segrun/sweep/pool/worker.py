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
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from segrun import interrupt
from segrun.rundir import timings
from segrun.sweep.pool import oom
from segrun.sweep.pool.reply import Reply, describe


def serve(connection: Connection[Any, Any], cores: Sequence[int] | None) -> None:
    """Do one job after the other until the parent closes the connection.

    Parameters
    ----------
    connection : Connection
        Brings the task with its preparation, then payloads, all pickled. Takes back why the worker
        cannot start, an empty text if it can, and then a `Reply` to every payload.
    cores : sequence of int, optional
        The cores to stay on.
    """
    _die_with_parent()
    _leave_terminal()
    if sys.stderr is not None:
        faulthandler.enable()
    if cores is not None:
        os.sched_setaffinity(0, cores)
    oom.prefer_this_process()
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


def _perform(task: Callable[[Any], Any], payload: bytes) -> Reply:
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
    return Reply(status, value, reason, time.perf_counter() - started, timings.peak_rss_bytes())


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
