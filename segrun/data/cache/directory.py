"""The cache directory: the one place outside a run directory that segrun writes to."""

from __future__ import annotations

import os
from pathlib import Path

from segrun.errors import StoreError


def cache_directory() -> Path:
    """Return the cache directory, made where it does not exist.

    ``SEGRUN_CACHE`` names it; otherwise it is where the platform keeps caches.

    Raises
    ------
    StoreError
        If it cannot be made.
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
