"""The part of a file that has been downloaded so far, and which version of the file it is of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from segrun.errors import StoreError


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the errors of writing `path` into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}. "
            "Make room or name another cache directory: SEGRUN_CACHE=DIR"
        ) from error


@dataclass(frozen=True)
class Version:
    """Which version of which file some bytes are of.

    Attributes
    ----------
    url : str
        Address of the file.
    validator : str
        What If-Range takes, a strong ETag or a date; empty where the server gave neither.
    total : int or None
        Bytes of the whole file; None where the server did not tell.
    """

    url: str
    validator: str
    total: int | None


class Part:
    """The first bytes of a file, kept over broken downloads.

    A note beside them says which version they are of: the bytes of two versions must never be
    joined.

    Parameters
    ----------
    path : Path
        Where the bytes are.
    url : str
        Address of the file. Bytes from another address do not count.
    """

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url
        self._note = path.with_name(path.name + ".json")

    @property
    def version(self) -> Version:
        """The version that the bytes are of."""
        unknown = Version(self.url, "", None)
        try:
            version = Version(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return unknown
        return version if version.url == self.url else unknown

    @property
    def size(self) -> int:
        """Number of bytes that are here."""
        with storing(self.path):
            return self.path.stat().st_size if self.path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether these are all bytes of the file."""
        return self.size > 0 and self.version.total == self.size

    @property
    def can_go_on(self) -> bool:
        """Whether the rest of the same version can be asked for."""
        return self.size > 0 and bool(self.version.validator)

    def append(self, pieces: Iterable[bytes], start: int, version: Version) -> int:
        """Write pieces from byte `start` on, 0 or the present size, and return the new size.

        What has come stays, also when `pieces` raises.
        """
        with storing(self.path), self.path.open("ab" if start else "wb") as file:
            # Not before the old bytes are gone: they must not stand beside a new note.
            self._write_note(version)
            for piece in pieces:
                file.write(piece)
        return self.size

    def finish(self) -> None:
        """Note that the file is whole."""
        version = self.version
        with storing(self.path):
            self._write_note(Version(version.url, version.validator, self.size))

    def discard(self) -> None:
        """Remove the bytes and the note."""
        with storing(self.path):
            # The bytes first: a note without them does no harm.
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def _write_note(self, version: Version) -> None:
        text = json.dumps(asdict(version), indent=2) + "\n"
        self._note.write_text(text, encoding="utf-8")
