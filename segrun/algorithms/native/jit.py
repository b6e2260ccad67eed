"""Compiled kernels, the one place that knows numba, and the threads that run them."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Event, Lock
from typing import Any, TypeVar

from segrun.data.cache import cache_directory
from segrun.errors import StoreError

log = logging.getLogger("segrun.algorithms.native")


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call; machine code is kept for the next process.

    The function runs without the interpreter's lock. Sums are added up as they are written:
    what does not depend on the order of floating-point operations asks for `fast_kernel`.
    """
    return _compiled(function, fastmath=False)


def fast_kernel(function: Callable[..., Any]) -> Any:
    """Compile like `kernel`; sums may be added up in any order, by several at once."""
    return _compiled(function, fastmath=True)


def _compiled(function: Callable[..., Any], fastmath: bool) -> Any:
    kept = _machine_code()
    import numba

    return numba.njit(function, nogil=True, fastmath=fastmath, cache=kept, error_model="numpy")


@cache
def _machine_code() -> bool:
    """Choose, before numba is imported, where machine code is kept; tell whether it is."""
    # numba notices a changed file, not one that it calls: each state has its own folder.
    own = _digest()
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    try:
        parent = Path(chosen) if chosen else cache_directory() / "numba"
    except StoreError as error:
        return _not_kept(error)
    # A process started by this one has it already.
    wanted = parent if parent.name == own else parent / own
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            pass
    except OSError as error:
        return _not_kept(error)
    import numba

    # Both, since another plugin may have imported numba before.
    os.environ["NUMBA_CACHE_DIR"] = str(wanted)
    vars(numba.config)["CACHE_DIR"] = str(wanted)
    return True


def _not_kept(error: Exception) -> bool:
    log.warning("machine code is not kept, so that each process compiles again: %s", error)
    return False


def _digest() -> str:
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def n_threads() -> int:
    """Return how many threads kernels may use: the job's share of the machine's cores."""
    import numba

    from segrun.rundir.environment import usable_cores

    return max(1, min(int(numba.config.NUMBA_NUM_THREADS), usable_cores()))


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
