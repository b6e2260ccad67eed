"""The process that outlives a killed parent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

#: Reads process groups, the last line counts, and kills them at the end of its input.
_SCRIPT = """
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


class Guard:
    """A process that kills workers with their children when this one is gone, however it went.

    Workers die by themselves then, but the kernel does it before they could take their children
    along.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [sys.executable, "-I", "-S", "-c", _SCRIPT],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip

    def watch(self, groups: Sequence[int]) -> None:
        """Kill these process groups at the end, and no others."""
        assert self._process.stdin is not None
        with suppress(OSError):
            print(*groups, file=self._process.stdin, flush=True)

    def close(self) -> None:
        """End the guard itself."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
