"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from glob import escape
from pathlib import Path

from segrun.errors import StoreError


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it: whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        # Its own failure must not hide the one above.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of bytes whole or not at all."""
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def is_temporary(path: Path) -> bool:
    """Tell whether `path` is what a killed writer left of an unfinished file."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def remove_leftovers(folder: Path, name: str) -> None:
    """Remove what killed writers have left of files whose names begin with `name`."""
    import psutil

    for path in folder.glob(f".{escape(name)}.*.tmp"):
        writer = path.name.split(".")[-2]
        # Another one may be at work this moment.
        if is_temporary(path) and writer.isdecimal() and not psutil.pid_exists(int(writer)):
            with suppress(OSError):
                path.unlink()
