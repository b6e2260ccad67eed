"""The file that `dataset.path` names: it is there, it is a file, and what kind it is."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path

from segrun.datasets.digest import digest
from segrun.errors import DataError

_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
#: The compound files of Excel before 2007.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


class Kind(Enum):
    """What is in a file, by its content; its name counts where the content is damaged."""

    text = "text"
    excel = "excel"
    parquet = "parquet"


@dataclass(frozen=True)
class Source:
    """A file that can be opened.

    Attributes
    ----------
    path : Path
        Where it is.
    kind : Kind
        How it is to be read.
    n_bytes : int
        Its size.
    """

    path: Path
    kind: Kind
    n_bytes: int

    @cached_property
    def sha256(self) -> str:
        """Digest of its content; of a large file a pass, unless it is known from before."""
        return digest(self.path)


def find(text: str) -> Source:
    """Return the file under a path; `~` is expanded.

    Raises
    ------
    DataError
        If it is missing, empty, no regular file, cannot be read, or is an archive of something
        else.
    """
    path = _path(text)
    head = _head(path)
    kind = _kind(path, head)
    return Source(path, kind, path.stat().st_size)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise DataError(f"dataset.path={text}: {error}. Write the folder out") from error


def _head(path: Path) -> bytes:
    if not path.exists():
        raise DataError(
            f"dataset.path={path}: there is no such file (looked in {Path.cwd()}). "
            "Give a path that is relative to the current directory, or absolute"
        )
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file"
        raise DataError(f"dataset.path={path} is {what}: name a CSV, Parquet or Excel file")
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise DataError(f"dataset.path={path} cannot be read: {error.strerror}") from error
    if not head:
        raise DataError(f"dataset.path={path} is empty: 0 bytes")
    return head


def _kind(path: Path, head: bytes) -> Kind:
    named = path.suffix.lower()
    if head.startswith(_PARQUET) or named in (".parquet", ".pq"):
        return Kind.parquet
    if named in _WORKBOOKS or head == _COMPOUND:
        return Kind.excel
    if head.startswith(_ZIP):
        return _zipped(path)
    return Kind.text


def _zipped(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        names = []
    # Workbooks are zip archives with a part of this name.
    if any(name.startswith("xl/workbook") for name in names):
        return Kind.excel
    holds = f" of {', '.join(names[:3])}" if names else ""
    raise DataError(
        f"dataset.path={path} is a zip archive{holds}: unpack it and name the file inside"
    )
