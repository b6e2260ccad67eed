"""Digests of large files that were computed before: a file that has not changed has the same.

As version control systems tell an unchanged file: by path, size, time of change and inode.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from segrun.data.cache.directory import cache_directory
from segrun.errors import StoreError
from segrun.rundir.atomic import write_text

#: A file that was changed so short before may be changed again without its time telling.
_RACY_SECONDS = 2.0


def state(path: Path) -> list[int]:
    """Return what changes with a file's content: size, times of change, inode and device."""
    found = path.stat()
    # Copying tools set the first of the times; nobody can set the second.
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def is_still(path: Path, before: list[int]) -> bool:
    """Tell whether a file is there, in the state that it was in."""
    return path.exists() and state(path) == before


def remembered(path: Path) -> str | None:
    """Return the digest that an unchanged file had, None where that is not known."""
    try:
        told = json.loads(_place(path).read_text(encoding="utf-8"))
        return str(told["sha256"]) if told["state"] == state(path) else None
    except (OSError, ValueError, KeyError, TypeError, StoreError):
        return None


def remember(path: Path, sha256: str, before: list[int]) -> None:
    """Keep the digest of a file whose state was `before` when it was read.

    Where it cannot be kept, the next run computes it again.
    """
    try:
        changed_seconds = max(before[1:3]) / 1e9
        if state(path) != before or time.time() - changed_seconds < _RACY_SECONDS:
            return
        told = {"path": os.fspath(path.resolve()), "state": before, "sha256": sha256}
        write_text(_place(path), json.dumps(told))
    except (OSError, StoreError):
        return


def _place(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    return cache_directory() / "digests" / f"{name}.json"
