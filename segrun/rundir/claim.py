"""Whose a directory is: claimed once, locked while it is written to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from segrun.errors import ClaimError
from segrun.rundir.atomic import is_temporary

if TYPE_CHECKING:
    from filelock import FileLock

MANIFEST = "manifest.json"
UNFINISHED = "UNFINISHED"
LOCK = ".lock"
LOG = "segrun.log"
#: Of a sweep.
SWEEP = "sweep.json"
#: What Hydra's own sweeper leaves.
MULTIRUN = "multirun.yaml"
#: Folder of a run that its manifest does not vouch for: what is ingested after the run.
INGESTED = "ingest"

_CURE = "Choose another with hydra.run.dir=DIR (hydra.sweep.dir=DIR for -m)"


def claim(path: Path, started: str) -> None:
    """Make a directory this run's, marked as unfinished; one of a run that failed is free."""
    with _told(path):
        path.mkdir(parents=True, exist_ok=True)
        clear_failed(path)
        # The log may have been begun. Anything else is another run's, or not ours to hash.
        taken = sorted({entry.name for entry in path.iterdir()} - {LOG})
        if taken:
            raise ClaimError(
                f"the directory {path} is in use: it has {', '.join(taken[:3])}. {_CURE}"
            )
        # "x": of two runs that want one directory at the same moment, one gets it.
        with (path / UNFINISHED).open("x", encoding="utf-8") as file:
            file.write(_mark(started))


def reopen(path: Path, started: str) -> FileLock:
    """Claim and lock a directory that may hold an earlier attempt at the same run."""
    # A killed writer may take a moment to be gone.
    lock = locked(path, 5, f"another process is writing to {path}: wait until it has ended")
    with _told(path):
        (path / UNFINISHED).write_text(_mark(started), encoding="utf-8")
        (path / MANIFEST).unlink(missing_ok=True)
        for left in filter(is_temporary, path.rglob(".*.tmp")):
            left.unlink(missing_ok=True)
    return lock


def locked(path: Path, seconds: float, busy: str) -> FileLock:
    """Lock a directory for this process; the system releases it when the process ends.

    Parameters
    ----------
    path : Path
        The directory; made where it does not exist.
    seconds : float
        How long to wait for another process to release it.
    busy : str
        What the ClaimError says if it does not.
    """
    # Late: most commands lock nothing.
    from filelock import FileLock, Timeout

    lock = FileLock(path / LOCK)
    with _told(path):
        path.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise ClaimError(busy) from error
    return lock


def clear_failed(path: Path) -> None:
    """Remove what a failed run has left, as far as its manifest names it; its log stays."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if not isinstance(manifest, dict) or manifest.get("status") != "failed":
        return
    files = [path / name for name in manifest.get("files", {})]
    own = [file for file in files if file.resolve().is_relative_to(path.resolve())]
    # The manifest last: until then the directory is that of the failed run.
    for file in (*own, path / MANIFEST):
        file.unlink(missing_ok=True)
        remove_empty(file.parent, path)


def withdraw(path: Path) -> None:
    """Leave no directory of a run that was refused: neither what it wrote, nor what it made."""
    clear_failed(path)
    if {entry.name for entry in path.glob("*")} <= {LOG}:
        (path / LOG).unlink(missing_ok=True)
        remove_empty(path, Path.cwd())


def remove_empty(path: Path, until: Path) -> None:
    """Remove a folder and those that it is in, as long as they are empty and below another."""
    # Not ours to remove if somebody is quicker.
    with suppress(OSError):
        while path.resolve() != until.resolve():
            path.rmdir()
            path = path.absolute().parent


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of what goes wrong with a directory how to choose another."""
    try:
        yield
    except FileExistsError as error:
        raise ClaimError(f"the directory {path} is in use, or is a file. {_CURE}") from error
    except OSError as error:
        raise ClaimError(f"cannot write to {path}: {error.strerror or error}. {_CURE}") from error


def _mark(started: str) -> str:
    return (
        f"This run is not finished. It was started {started} by process {os.getpid()}.\n"
        "What stands in models/ and predictions/ is complete; scores and manifest.json follow.\n"
    )
