"""When a Ctrl-C counts while processes are started."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from segrun import interrupt


@contextmanager
def held() -> Iterator[None]:
    """Let the body end before a Ctrl-C counts, and start processes deaf to it.

    A worker listens as soon as it knows what to do then, the guard never.
    """
    with interrupt.deferred(), _blocked():
        yield


@contextmanager
def _blocked() -> Iterator[None]:
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
