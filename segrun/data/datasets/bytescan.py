"""One pass over the bytes of a large file, beside the one that reads it: digest, UTF-8, quotes."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import numpy as np

from segrun.errors import DataError
from segrun.formats import in_bytes
from segrun.progress import Progress

_CHUNK_BYTES = 2**18
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class ByteFacts:
    """What the bytes of a file tell; the digest is empty where it was not asked for."""

    sha256: str
    utf8: bool
    quotes: bool
    n_separators: int


class ByteScan(Thread):
    """Reads a file in a thread of its own; hashing and counting let other threads run."""

    def __init__(self, path: Path, separator: str, *, digest: bool) -> None:
        super().__init__(daemon=True)
        self._path, self._separator, self._digest = path, ord(separator), digest
        self._stopped = Event()
        self._found: ByteFacts | None = None
        self._error: OSError | None = None
        self.n_read_bytes = 0

    def run(self) -> None:
        """Read the file to its end, or until it is stopped."""
        try:
            self._found = self._scan()
        except OSError as error:
            self._error = error

    def stop(self) -> None:
        """End the thread before its time."""
        self._stopped.set()
        self.join()

    def found(self) -> ByteFacts:
        """Wait for the end of the pass and return what it told."""
        self.join()
        if self._error is not None:
            said = self._error.strerror or self._error
            raise DataError(f"{self._path} cannot be read to its end: {said}") from self._error
        assert self._found is not None
        return self._found

    def _scan(self) -> ByteFacts | None:
        digest = hashlib.sha256()
        decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")("strict")
        utf8, quotes, n_separators = True, False, 0
        chunk = bytearray(_CHUNK_BYTES)
        letters = np.frombuffer(chunk, dtype=np.uint8)
        is_separator = np.empty(_CHUNK_BYTES, dtype=bool)
        with self._path.open("rb", buffering=0) as file:
            while n_read := file.readinto(chunk):
                if self._stopped.is_set():
                    return None
                piece = chunk if n_read == _CHUNK_BYTES else chunk[:n_read]
                if self._digest:
                    digest.update(piece)
                utf8 = utf8 and _goes_on(decoder, piece)
                quotes = quotes or piece.find(b'"') >= 0
                np.equal(letters[:n_read], self._separator, out=is_separator[:n_read])
                n_separators += int(np.count_nonzero(is_separator[:n_read]))
                self.n_read_bytes += n_read
        utf8 = utf8 and not decoder.getstate()[0]
        return ByteFacts(digest.hexdigest() if self._digest else "", utf8, quotes, n_separators)


def _goes_on(decoder: codecs.IncrementalDecoder, piece: bytearray) -> bool:
    """Tell whether a text in UTF-8 can go on with this piece."""
    if piece.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(bytes(piece))
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def progress_shown(name: str, path: Path, scan: ByteScan) -> Iterator[None]:
    """Show how much of a file polars has read, which does not tell itself."""
    ended, n_bytes = Event(), path.stat().st_size
    label = f"reading {Path(name).name} ({in_bytes(n_bytes)})"
    began = _n_read_bytes() - scan.n_read_bytes

    def watch() -> None:
        with Progress(label, 100) as progress:
            while not ended.wait(_POLL_SECONDS):
                n_read = _n_read_bytes() - scan.n_read_bytes - began
                progress.reach(min(0.99, n_read / n_bytes))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _n_read_bytes() -> int:
    """Return what this process has read from files; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/io").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
