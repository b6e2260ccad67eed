"""The cache directory: the one place outside a run directory that segrun writes to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segrun.errors import StoreError

_BUSY_SECONDS = 1.0


def cache_directory() -> Path:
    """Return the cache directory, made where it does not exist.

    ``SEGRUN_CACHE`` names it; otherwise it is where the platform keeps caches.
    """
    import platformdirs

    chosen = os.environ.get("SEGRUN_CACHE")
    path = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("segrun")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the cache directory {path}: {error.strerror or error}. "
            "Name another one: SEGRUN_CACHE=DIR"
        ) from error
    return path


def remove_leftovers(home: Path, what: str) -> int:
    """Remove the folders ``WHAT-PID-*`` of processes that were killed, and return their bytes."""
    import psutil

    n_bytes = 0
    for folder in home.glob(f"{what}-*"):
        owner = folder.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            # Another process may be removing it.
            with suppress(OSError):
                n_bytes += sum(file.lstat().st_size for file in folder.rglob("*"))
            shutil.rmtree(folder, ignore_errors=True)
    return n_bytes


@contextmanager
def locked(cache: Path, name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Let one process at a time do something; the system gives the lock free when one ends."""
    from filelock import FileLock, Timeout

    try:
        (cache / "locks").mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache / "locks" / f"{name}.lock")
        try:
            lock.acquire(timeout=_BUSY_SECONDS if waiting else -1)
        except Timeout:
            assert waiting is not None
            waiting()
            lock.acquire()
    except OSError as error:
        raise unwritable(cache, error) from error
    try:
        yield
    finally:
        lock.release()


def unwritable(cache: Path, error: OSError) -> StoreError:
    """Return the error of a cache that cannot be written."""
    return StoreError(
        f"cannot write to the cache directory {cache}: {error.strerror or error}. "
        "Name another one: SEGRUN_CACHE=DIR"
    )
