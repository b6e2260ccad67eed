"""Text files as they come: gzip or not, any encoding, read as a stream and never lossily."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from segrun.errors import DataError, StoreError

_CHUNK_BYTES = 2**20

#: Byte-order marks and the encodings they announce; UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Control characters in ISO-8859-1, but euro signs, dashes and quotes in cp1252.
_C1 = re.compile(rb"[\x80-\x9f]")


@dataclass(frozen=True)
class Utf8File:
    """The content of a file in UTF-8.

    Attributes
    ----------
    path : Path
        Where the content is: the file itself, or a temporary copy.
    encoding : str
        Python's name of the encoding that the file has.
    n_bytes : int
        Size of the file as it is.
    sha256 : str
        Digest of the file as it is.
    """

    path: Path
    encoding: str
    n_bytes: int
    sha256: str


@contextmanager
def as_utf8(path: Path, encoding: str, cache: Path) -> Iterator[Utf8File]:
    """Give a file's content in UTF-8; copies that this needs last as long as the context.

    Plain UTF-8 is used where it is. Anything else is unzipped and recoded in pieces into
    temporary files, so that memory stays bounded.

    Parameters
    ----------
    path : Path
        The file; gzip is known by its content.
    encoding : str
        Python's name of the encoding, or ``auto``.
    cache : Path
        Folder for the temporary files.

    Raises
    ------
    DataError
        If the file is missing, empty, a folder or damaged, has a byte that its encoding
        lacks, or an encoding that `auto` cannot tell.
    StoreError
        If the temporary files cannot be written.
    """
    _check_file(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        temporary = TemporaryDirectory(dir=cache, prefix="reading-")
    except OSError as error:
        raise _unwritable(cache, error) from error
    with temporary as name:
        content = _unzipped(path, Path(name))
        found = _detect(content, path) if encoding == "auto" else encoding
        pieces = _recoded(content, found, path)
        if codecs.lookup(found).name in ("utf-8", "ascii"):
            for _ in pieces:
                pass  # only to find a wrong byte: polars would not say where it is
        else:
            unzipped = content
            content = _write(pieces, Path(name) / "recoded.csv")
            if unzipped != path:
                unzipped.unlink()
        yield Utf8File(content, found, path.stat().st_size, digest)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(
            f"dataset.path={path}: there is no such file (looked in {Path.cwd()}). "
            "Give a path that is relative to the current directory, or absolute"
        )
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file"
        raise DataError(f"dataset.path={path} is {what}: name a CSV or CSV.gz file")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise DataError(f"dataset.path={path} cannot be read: {error.strerror}") from error
    if empty:
        raise DataError(f"dataset.path={path} is empty: 0 bytes")


def _unzipped(path: Path, folder: Path) -> Path:
    """Return the file itself or, once unzipped, its copy: several passes over it follow."""
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return path
        file.seek(0)
        return _write(_gunzip(file, path), folder / "unzipped.csv")


def _gunzip(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from _chunks(gzip.GzipFile(fileobj=file))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"dataset.path={path} is a damaged gzip file ({error}): copy or download it again"
        ) from error


def _write(pieces: Iterable[bytes], copy: Path) -> Path:
    try:
        with copy.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise _unwritable(copy.parent, error) from error
    return copy


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write a temporary file in {folder}: {error.strerror or error}. "
        "Name another cache directory: SEGRUN_CACHE=DIR"
    )


def _detect(content: Path, path: Path) -> str:
    with content.open("rb") as file:
        head = file.read(4)
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
    try:
        for _ in _recoded(content, "utf-8", path):
            pass
    except DataError:
        return _latin1(content, path)
    return "utf-8"


def _latin1(content: Path, path: Path) -> str:
    """Return ISO-8859-1, unless bytes occur that mean something in cp1252 only."""
    n_before = 0
    with content.open("rb") as file:
        for chunk in _chunks(file):
            if not chunk.isascii() and (wrong := _C1.search(chunk)):
                place = _place(content, n_before + wrong.start(), wrong[0])
                raise DataError(
                    f"dataset.path={path} is not UTF-8, and {place} is no letter of ISO-8859-1 "
                    "either. If the file comes from Windows: dataset.encoding=cp1252"
                )
            n_before += len(chunk)
    return "iso-8859-1"


def _recoded(content: Path, encoding: str, path: Path) -> Iterator[bytes]:
    """Yield the content in UTF-8, piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    # One byte a letter, so that a piece in ASCII is what it is.
    plain = codecs.lookup(encoding).name in ("iso8859-1", "cp1252")
    n_read = 0
    try:
        with content.open("rb") as file:
            for chunk in _chunks(file):
                n_read += len(chunk)
                yield chunk if plain and chunk.isascii() else decoder.decode(chunk).encode()
            yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        place = str(error)
        if isinstance(error, UnicodeDecodeError):
            # The decoder's object ends where reading ended, and may begin in the piece before.
            start = n_read - len(error.object) + error.start
            place = _place(content, start, error.object[error.start : error.start + 1])
        raise DataError(
            f"dataset.path={path} is not {encoding}: {place}. "
            "Name its encoding: dataset.encoding=auto, iso-8859-1, cp1252, ..."
        ) from error


def _place(content: Path, n_before: int, byte: bytes) -> str:
    line = 1
    with content.open("rb") as file:
        left = n_before
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            line += chunk.count(b"\n")
            left -= len(chunk)
    return f"byte 0x{byte.hex()} in line {line} (after {n_before} bytes)"


def _chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
