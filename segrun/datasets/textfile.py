"""Text files as they come: gzip or not, any encoding, read as a stream and never lossily."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from segrun.errors import DataError

_CHUNK_BYTES = 4 * 2**20

#: Byte-order marks and the encodings they announce.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Control characters in ISO-8859-1, but euro signs, dashes and quotes in cp1252.
_C1 = bytes(range(0x80, 0xA0))


@dataclass(frozen=True)
class TextFile:
    """A file whose encoding is known.

    Attributes
    ----------
    path : Path
        The file, gzip where its content begins like one.
    encoding : str
        Python's name of its encoding.
    n_bytes : int
        Size of the file as it is.
    sha256 : str
        Digest of the file as it is.
    """

    path: Path
    encoding: str
    n_bytes: int
    sha256: str


def inspect(path: Path, encoding: str) -> TextFile:
    """Find out encoding and digest of a file.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Python's name of the encoding, or ``auto``.

    Raises
    ------
    DataError
        If the file is missing, empty, a folder, truncated, or of an encoding that `auto`
        cannot tell.
    """
    _check_file(path)
    found = _detect(path) if encoding == "auto" else encoding
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return TextFile(path, found, path.stat().st_size, digest)


@contextmanager
def as_utf8(file: TextFile, cache: Path) -> Iterator[Path]:
    """Give a path with the content in UTF-8: the file itself, or a temporary copy in `cache`.

    The copy is written as a stream and removed with the context.

    Raises
    ------
    DataError
        If a byte is not valid in the encoding.
    """
    if codecs.lookup(file.encoding).name in ("utf-8", "ascii"):
        yield file.path
        return
    with tempfile.NamedTemporaryFile(dir=cache, prefix="utf8-", suffix=".csv") as copy:
        decoder = codecs.getincrementaldecoder(file.encoding)("strict")
        n_read = 0
        try:
            for chunk in _chunks(file.path):
                copy.write(decoder.decode(chunk).encode())
                n_read += len(chunk)
            copy.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise DataError(
                f"{file.path} is not {file.encoding}: {error} (within the {_CHUNK_BYTES} bytes "
                f"after byte {n_read}). Name its encoding with dataset.encoding=NAME"
            ) from error
        copy.flush()
        yield Path(copy.name)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(
            f"dataset.path={path}: there is no such file (looked in {Path.cwd()}). "
            "Give a path that is relative to the current directory, or absolute"
        )
    if not path.is_file():
        raise DataError(f"dataset.path={path} is a folder: name the CSV or CSV.gz file in it")
    if path.stat().st_size == 0:
        raise DataError(f"dataset.path={path} is empty: 0 bytes")


def _detect(path: Path) -> str:
    with open_bytes(path) as stream:
        head = stream.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    return "utf-8" if _is_utf8(path) else _latin1(path)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _latin1(path: Path) -> str:
    """Return ISO-8859-1, unless bytes occur that mean something in cp1252 only."""
    line = 1
    for chunk in _chunks(path):
        rest = chunk.translate(None, delete=_C1)
        if len(rest) < len(chunk):
            place = next(i for i, byte in enumerate(chunk) if byte in _C1)
            line += chunk.count(b"\n", 0, place)
            raise DataError(
                f"{path} is not UTF-8, and byte 0x{chunk[place]:02x} in line {line} is no letter "
                "of ISO-8859-1 either. If the file comes from Windows: dataset.encoding=cp1252"
            )
        line += chunk.count(b"\n")
    return "iso-8859-1"


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open a file for reading, unzipped where its content begins like gzip.

    Raises
    ------
    DataError
        If the gzip stream is truncated or damaged.
    """
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not zipped:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unzipped:
                yield unzipped
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(
                f"{path} is a damaged gzip file ({error}): copy or download it again"
            ) from error


def _chunks(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
