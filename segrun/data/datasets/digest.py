"""What identifies the content of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from segrun.data.cache import digests
from segrun.progress import Progress

#: To read a smaller file takes less than a second.
_MIN_REMEMBERED_BYTES = 200_000_000
_CHUNK_BYTES = 2**22


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content; of a large unchanged one, as it was found before."""
    before = digests.state(path)
    n_bytes = before[0]
    if n_bytes < _MIN_REMEMBERED_BYTES:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if known := digests.remembered(path):
        return known
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file, Progress(f"digest of {path.name}", 100) as progress:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
            progress.reach(file.tell() / n_bytes)
    digests.remember(path, found.hexdigest(), before)
    return found.hexdigest()
