"""A digest of code: a version number that nobody changes does not tell one state from another."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def own_code() -> str:
    """Return the digest of the code that this process runs, as it stood at the first call."""
    return code_digest(Path(__file__).parent.parent)


def code_digest(package: Path) -> str:
    """Return a short digest of every Python file of a package, or of a module that is one file.

    Files are read as a whole, at some 10 ms for all of segrun: a copy or a checkout can leave
    the time of change as it was.
    """
    if package.is_file():
        return hashlib.sha256(package.read_bytes()).hexdigest()[:12]
    digest = hashlib.sha256()
    for name, path in sorted(_files(str(package), "")):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open takes twice the time
            digest.update(f"{name}\0".encode() + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()[:12]


def _files(folder: str, within: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path, f"{within}{entry.name}/")
            elif entry.name.endswith(".py"):
                yield f"{within}{entry.name}", entry.path
