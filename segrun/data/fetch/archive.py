"""The zip archive: one data file in it, checked while it is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import IO

from segrun.errors import DataError

#: More than this is no table of transactions but a mistake, or a bomb.
MAX_BYTES = 2 * 10**9

_PIECE_BYTES = 2**20
_SUFFIXES = (".xlsx", ".csv")


class Archive:
    """A zip archive with one data file, .xlsx or .csv, in it.

    Parameters
    ----------
    path : Path
        The archive.

    Raises
    ------
    DataError
        If it is no whole zip archive, does not have exactly one data file, has a member that
        would leave the folder, or would unpack to more than 2 GB.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _damage(), path.open("rb") as file:
            _refuse_page(file)
            with zipfile.ZipFile(file) as archive:
                self._member = _data_member(archive.infolist())
        self.suffix = _suffix(self._member)

    def unpack(self, target: Path) -> None:
        """Write the data file to `target`; its checksum is compared at its end.

        Raises
        ------
        DataError
            If it is damaged.
        OSError
            If `target` cannot be written.
        """
        with target.open("wb") as file:
            # The name in the archive is not used: nothing is ever written elsewhere.
            for piece in self._pieces():
                file.write(piece)

    def _pieces(self) -> Iterator[bytes]:
        pieces = self._read()
        while True:
            # Not around the yield: what fails there is the writing.
            with _damage():
                piece = next(pieces, b"")
            if not piece:
                return
            yield piece

    def _read(self) -> Iterator[bytes]:
        with zipfile.ZipFile(self._path) as archive, archive.open(self._member) as member:
            while piece := member.read(_PIECE_BYTES):
                yield piece


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        # Bad lengths, methods, flags: BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ...
        raise DataError(f"the zip archive is truncated or damaged ({error})") from error


def _refuse_page(file: IO[bytes]) -> None:
    head = file.read(40)
    file.seek(0)
    if not head.startswith(b"PK"):
        raise DataError(f"what came is no zip archive, it begins with {head!r}")


def _data_member(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    names = [member.filename for member in members]
    if outside := [name for name in names if _leaves(name)]:
        raise DataError(f"the zip archive has a file that would leave its folder: {outside[0]!r}")
    # macOS packs a shadow of each file into __MACOSX/.
    data = [
        member
        for member in members
        if _suffix(member) in _SUFFIXES and not member.filename.startswith("__MACOSX/")
    ]
    if len(data) != 1:
        shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        raise DataError(
            f"the zip archive must have one .xlsx or .csv file, it has {len(data)}. "
            f"In it: {shown or 'nothing'}"
        )
    if data[0].file_size > MAX_BYTES:
        raise DataError(
            f"{data[0].filename!r} in the zip archive unpacks to {data[0].file_size:,} bytes, "
            f"more than {MAX_BYTES:,}"
        )
    return data[0]


def _suffix(member: zipfile.ZipInfo) -> str:
    return Path(member.filename).suffix.lower()


def _leaves(name: str) -> bool:
    # Windows' rules take in both kinds of slash, and drives.
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts
