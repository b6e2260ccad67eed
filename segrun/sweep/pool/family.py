"""A worker's process with its descendants: their memory, and their end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import psutil

#: Looking for descendants reads all processes of the machine: this share of the time.
_SHARE_OF_LOOKING = 0.02


class Family:
    """A process and its descendants.

    Parameters
    ----------
    pid : int
        The process, which leads a process group.
    """

    def __init__(self, pid: int) -> None:
        self._head = psutil.Process(pid)
        self._descendants: list[psutil.Process] = []
        self._next_look = 0.0

    def rss(self, ceiling: int | None) -> int:
        """Return the resident memory; pages in common count once if that saves the worker."""
        if time.monotonic() >= self._next_look:
            self._find()
        family = (self._head, *self._descendants)
        rss = sum(map(_rss, family))
        if ceiling is None or rss <= ceiling or len(family) == 1:
            return rss
        return sum(map(_pss, family))

    def _find(self) -> None:
        started = time.monotonic()
        with suppress(psutil.Error):
            self._descendants = self._head.children(recursive=True)
        now = time.monotonic()
        self._next_look = now + (now - started) / _SHARE_OF_LOOKING

    def kill(self) -> None:
        """Kill everybody."""
        # The old ones as well: whoever outlived the worker is no descendant of it any more.
        before = self._descendants
        self._find()
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self._head.pid, signal.SIGKILL)
        for process in {self._head, *before, *self._descendants}:
            with suppress(psutil.Error):
                process.kill()


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _pss(process: psutil.Process) -> int:
    """Return the resident memory, a page in common by its share; only Linux knows that."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.rss))
