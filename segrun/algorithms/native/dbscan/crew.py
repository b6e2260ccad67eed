"""Pieces of work, spread over threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import TypeVar

Piece = TypeVar("Piece")


def spread(work: Callable[[Piece], None], pieces: Iterable[Piece], n_threads: int) -> None:
    """Do `work` on every piece; this thread takes its share.

    Ctrl-C gets through between two pieces of this thread, and lets the other threads finish
    theirs: so pieces should be short.
    """
    waiting, lock, stop = iter(pieces), Lock(), Event()

    def take_turns() -> None:
        try:
            while not stop.is_set():
                with lock:
                    piece = next(waiting, None)
                if piece is None:
                    return
                work(piece)
        except BaseException:
            stop.set()
            raise

    if n_threads == 1:
        take_turns()
        return
    with ThreadPoolExecutor(n_threads - 1) as others:
        futures = [others.submit(take_turns) for _ in range(n_threads - 1)]
        try:
            take_turns()
            for future in futures:
                future.result()
        finally:
            stop.set()
