"""The processes of workers: started with their share of the machine, measured, and killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from segrun import interrupt
from segrun.rundir.environment import usable_cores
from segrun.sweep.pool.serve import serve

#: Looking for descendants reads all processes of the machine: this share of the time.
_SHARE_OF_LOOKING = 0.02

#: Reads process groups, the last line counts, and kills them at the end of its input.
_WATCHDOG = """
import os, signal, sys
groups = []
for line in sys.stdin:
    groups = line.split()
for group in groups:
    try:
        os.killpg(int(group), signal.SIGKILL)
    except OSError:
        pass
"""


def spawn(number: int, n_jobs: int, call: bytes) -> tuple[SpawnProcess, Connection[Any, Any]]:
    """Start one of `n_jobs` workers for a pickled task; return it and the connection to it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    share = None if n_jobs == 1 else max(1, usable_cores() // n_jobs)
    process = context.Process(
        target=serve, args=(there, share, number), name=f"segrun worker {number}"
    )
    with _without_main(call):
        process.start()
    there.close()
    return process, here


@contextmanager
def _without_main(call: bytes) -> Iterator[None]:
    """Keep multiprocessing from importing the main script in workers unless they need it.

    One without a guard would run its command line in every worker.
    """
    main = sys.modules["__main__"]
    if b"__main__" not in call:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def sigint_held() -> Iterator[None]:
    """Let the body end before a Ctrl-C counts, and start processes deaf to it.

    A worker listens as soon as it knows what to do then, the watchdog never.
    """
    with interrupt.deferred():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        from multiprocessing import resource_tracker

        # Started by the first process otherwise, and that unblocks the signal.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Watchdog:
    """A process that kills workers with their children when this one is gone, however it went.

    Workers die by themselves then, but the kernel does it before they could take their children
    along.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [sys.executable, "-I", "-S", "-c", _WATCHDOG],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip

    def watch(self, groups: Sequence[int]) -> None:
        """Kill these process groups at the end, and no others."""
        assert self._process.stdin is not None
        with suppress(OSError):
            print(*groups, file=self._process.stdin, flush=True)

    def close(self) -> None:
        """End the watchdog itself."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()


class ProcessTree:
    """The leader of a process group with its descendants: their memory, and their end."""

    def __init__(self, pid: int) -> None:
        self._head = psutil.Process(pid)
        self._descendants: list[psutil.Process] = []
        self._next_look = 0.0

    def rss(self, ceiling: int | None) -> int:
        """Return the resident memory; pages in common count once if that saves the worker."""
        if time.monotonic() >= self._next_look:
            self._find()
        processes = (self._head, *self._descendants)
        rss = sum(_resident(process) for process in processes)
        if ceiling is None or rss <= ceiling or len(processes) == 1:
            return rss
        return sum(_resident(process, shared_once=True) for process in processes)

    def _find(self) -> None:
        started = time.monotonic()
        with suppress(psutil.Error):
            self._descendants = self._head.children(recursive=True)
        now = time.monotonic()
        self._next_look = now + (now - started) / _SHARE_OF_LOOKING

    def kill(self) -> None:
        """Kill all of them."""
        # The old ones as well: whoever outlived the worker is no descendant of it any more.
        before = self._descendants
        self._find()
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self._head.pid, signal.SIGKILL)
        for process in {self._head, *before, *self._descendants}:
            with suppress(psutil.Error):
                process.kill()


def _resident(process: psutil.Process, *, shared_once: bool = False) -> int:
    """Return the resident memory; a page in common by its share, which only Linux knows."""
    try:
        memory = process.memory_full_info() if shared_once else process.memory_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.rss))


def n_oom_kills() -> int:
    """Return how many processes the OOM killer has killed on this machine, as far as it tells."""
    with suppress(OSError, ValueError):
        lines = (line.split() for line in Path("/proc/vmstat").read_text().splitlines())
        return sum(int(line[1]) for line in lines if line[0] == "oom_kill")
    return 0
