"""Text files as they come: packed or not, any encoding, read as a stream and never lossily."""

from __future__ import annotations

import codecs
import gzip
import logging
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from segrun.data.datasets import letters
from segrun.data.datasets.letters import Proposal
from segrun.data.datasets.source import Source
from segrun.errors import DataError, StoreError
from segrun.progress import Progress

log = logging.getLogger("segrun.data.datasets")

_CHUNK_BYTES = 2**20

#: Byte-order marks and the encodings they announce; UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"

#: First bytes of what is often given instead, also inside a packed file.
_NO_TEXT = {
    _GZIP: "packed twice",
    _ZSTD: "packed twice",
    b"BZh91AY&": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"PK\x03\x04": "a zip archive or an Excel file that is packed once more",
    b"PAR1": "a Parquet file that is packed once more",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite f": "a SQLite database (sqlite:///FILE and dataset.query read it)",
}

#: Pieces with letters beyond ASCII by which an encoding is proposed.
_N_PIECES = 20

#: Control characters in ISO-8859-1, but euro signs, dashes and quotes in cp1252.
_C1 = bytes(range(0x80, 0xA0))


@dataclass(frozen=True)
class Utf8File:
    """The content of a file in UTF-8."""

    path: Path
    encoding: str


def as_utf8(source: Source, encoding: str, folder: Path) -> Utf8File:
    """Give a file's content in UTF-8, in lines that end with LF or CR LF."""
    path = source.path
    content = _unpacked(path, folder)
    _check_text(content, path)
    found = encoding if encoding != "auto" else _mark(content) or _detect(content, path)
    pieces = _recoded(content, found, path)
    breaks = _line_ends(content, found)
    if codecs.lookup(found).name in ("utf-8", "ascii") and breaks == b"\n":
        if encoding != "auto" or _mark(content):
            for _ in pieces:
                pass  # only to find a wrong byte: polars would not say where it is
        return Utf8File(content, found)
    if breaks == b"\r":
        pieces = (piece.replace(b"\r", b"\n") for piece in pieces)
    copy = _write(pieces, folder / "recoded.csv")
    if content != path:
        content.unlink()
    return Utf8File(copy, found)


def is_packed(path: Path) -> bool:
    """Tell whether a file is packed by gzip or Zstandard."""
    return _head(path).startswith((_GZIP, _ZSTD))


def is_utf8_by_all_appearance(path: Path, encoding: str) -> bool:
    """Tell whether `as_utf8` is likely to take a file as it is; whether it will takes a pass."""
    if encoding != "auto" and codecs.lookup(encoding).name != "utf-8":
        return False
    # What is packed is among what is no text.
    if _head(path).startswith(tuple(_NO_TEXT)) or _mark(path) not in ("", "utf-8"):
        return False
    return _line_ends(path, "utf-8") == b"\n"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _check_text(content: Path, path: Path) -> None:
    head = _head(content)
    if what := next((what for magic, what in _NO_TEXT.items() if head.startswith(magic)), ""):
        raise DataError(
            f"dataset.path={path} is no text but {what}: name a CSV file (gzip and Zstandard "
            "are unpacked), a Parquet or an Excel file"
        )


def _unpacked(path: Path, folder: Path) -> Path:
    """Return the file itself or, once unpacked, its copy: several passes over it follow."""
    head = _head(path)
    if not head.startswith((_GZIP, _ZSTD)):
        return path
    with path.open("rb") as file:
        unpack = _gunzip if head.startswith(_GZIP) else _unzstd
        return _write(_shown("unpacking", unpack(file, path), file), folder / "unpacked.csv")


def _gunzip(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from _chunks(gzip.GzipFile(fileobj=file))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, "gzip", error) from error


def _unzstd(file: IO[bytes], path: Path) -> Iterator[bytes]:
    # Late: few files need it. Python has it itself from 3.14 on.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    try:
        yield from _chunks(zstd.ZstdFile(file))
    except (EOFError, zstd.ZstdError) as error:
        raise _damaged(path, "Zstandard", error) from error


def _damaged(path: Path, what: str, error: Exception) -> DataError:
    return DataError(
        f"dataset.path={path} is a damaged {what} file ({error}): copy or download it again"
    )


def _write(pieces: Iterable[bytes], copy: Path) -> Path:
    try:
        with copy.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise unwritable(copy.parent, error) from error
    return copy


def unwritable(folder: Path, error: OSError) -> StoreError:
    """Return the error of a cache that cannot be written."""
    return StoreError(
        f"cannot write a temporary file in {folder}: {error.strerror or error}. "
        "Name another cache directory: SEGRUN_CACHE=DIR"
    )


def _mark(content: Path) -> str:
    """Return the encoding that a byte-order mark announces, empty without one."""
    head = _head(content)
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "")


def _detect(content: Path, path: Path) -> str:
    """Return UTF-8 where the whole file is, else ISO-8859-1."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        with content.open("rb") as file:
            for chunk in _shown("reading as utf-8", _chunks(file), file):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _latin1(content, path)
    return "utf-8"


def _latin1(content: Path, path: Path) -> str:
    """Return ISO-8859-1, unless bytes occur that mean something in cp1252 only."""
    n_before = 0
    with content.open("rb") as file:
        for chunk in _chunks(file):
            # To take bytes out is much faster than to search for one of them.
            if not chunk.isascii() and len(chunk.translate(None, _C1)) < len(chunk):
                first = next(i for i, byte in enumerate(chunk) if byte in _C1)
                where = _place_of(content, n_before + first, chunk[first : first + 1], "iso-8859-1")
                raise DataError(
                    f"dataset.path={path} is not UTF-8, and {where} is no letter of ISO-8859-1 "
                    f"either. {_advice(content)}"
                )
            n_before += len(chunk)
    if doubt := letters.doubt(_proposed(content)):
        log.warning("%s is read as ISO-8859-1, %s", path, doubt)
    return "iso-8859-1"


def _proposed(content: Path) -> Sequence[Proposal]:
    """Return the encodings that the file may have, the likeliest first."""
    with content.open("rb") as file:
        some = islice((piece for piece in _chunks(file) if not piece.isascii()), _N_PIECES)
        words = letters.words_of(some)
    return letters.proposals(words, mac_lines=_line_ends(content, "iso-8859-1") == b"\r")


def _advice(content: Path) -> str:
    return letters.advice(_proposed(content))


def _recoded(content: Path, encoding: str, path: Path) -> Iterator[bytes]:
    """Yield the content in UTF-8, piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    # One byte a letter, so that a piece in ASCII is what it is.
    plain = codecs.lookup(encoding).name in ("iso8859-1", "cp1252")
    n_read = 0
    try:
        with content.open("rb") as file:
            for chunk in _shown(f"reading as {encoding}", _chunks(file), file):
                n_read += len(chunk)
                yield chunk if plain and chunk.isascii() else decoder.decode(chunk).encode()
            yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        where = str(error)
        if isinstance(error, UnicodeDecodeError):
            # The decoder's object ends where reading ended, and may begin in the piece before.
            start = n_read - len(error.object) + error.start
            byte = error.object[error.start : error.start + 1]
            where = _place_of(content, start, byte, encoding)
        raise DataError(
            f"dataset.path={path} is not {encoding}: {where}. {_advice(content)}"
        ) from error


def _shown(label: str, pieces: Iterator[bytes], file: IO[bytes]) -> Iterator[bytes]:
    """Show how much of `file` has been read as its pieces come."""
    n_bytes = os.fstat(file.fileno()).st_size
    with Progress(label, 100) as progress:
        for piece in pieces:
            yield piece
            progress.reach(file.tell() / n_bytes)


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _line_ends(content: Path, encoding: str) -> bytes:
    """Return CR where, as on old Macs, it stands alone; else LF, CR LF included."""
    with content.open("rb") as file:
        head = codecs.getincrementaldecoder(encoding)("replace").decode(file.read(_CHUNK_BYTES))
    # Within a cell Excel breaks lines by LF, on Macs as well.
    bare = "".join(head.split('"')[::2])
    return b"\r" if "\r" in bare and "\n" not in bare else b"\n"


def _place_of(content: Path, n_before: int, byte: bytes, encoding: str) -> str:
    """Say where a byte is."""
    line, left, ends = 1, n_before, _line_ends(content, encoding)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with content.open("rb") as file:
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            text = decoder.decode(chunk)
            line += text.count("\n") + (text.count("\r") if ends == b"\r" else 0)
            left -= len(chunk)
    return f"byte 0x{byte.hex()} in line {line} (after {n_before} bytes)"
