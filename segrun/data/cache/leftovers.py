"""Folders that a process fills: named after it, so that the next one can remove them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path


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
