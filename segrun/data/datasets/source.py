"""The file, or the files of a folder or glob, that `dataset.path` names, and their kind."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache, cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segrun.data.cache import digests
from segrun.errors import DataError
from segrun.progress import Progress
from segrun.rundir.claim import MANIFEST, UNFINISHED

if TYPE_CHECKING:
    from segrun.data.datasets.sql.result import Result

#: To read a smaller file takes less than a second.
_MIN_REMEMBERED_BYTES = 200_000_000
_CHUNK_BYTES = 2**22

_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
#: The compound files of Excel before 2007.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

_N_SHOWN = 5

#: What writers leave beside the data: marks, checksums, what is not finished, locks of editors.
_BESIDE = re.compile(r"[._~].*|.*(~|\.(crc|tmp|temp|part|partial|crdownload|swp|lock))", re.I)

#: Of these, not every file counts: a log beside them says which.
_TABLES = {"_delta_log": "Delta", "_hudi": "Hudi", ".hoodie": "Hudi"}

#: Files of segrun's own directories of results, which are no input.
_RESULTS = ({UNFINISHED}, {MANIFEST, "experiment.yaml"}, {"sweep.json"})

#: What stands in a path for a missing value.
_MISSING = "__HIVE_DEFAULT_PARTITION__"


class FileKind(Enum):
    """What is in a file, by its content; its name counts where the content is damaged."""

    text = "text"
    excel = "excel"
    parquet = "parquet"
    query = "query"


@dataclass(frozen=True)
class Source:
    """A file that can be opened, or several that are one table."""

    path: Path
    kind: FileKind
    n_bytes: int
    parts: tuple[Source, ...] = ()
    name: str = ""
    partition: Mapping[str, str | None] = field(default_factory=dict)
    result: Result | None = None
    query: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        """Digest of its content; of a large file a pass, unless it is known from before."""
        if self.result is not None:
            return self.result.sha256
        if not self.parts:
            return _digest(self.path)
        listed = "".join(f"{part.sha256}  {part.name}\n" for part in self.parts)
        return hashlib.sha256(listed.encode()).hexdigest()

    @property
    def identity(self) -> dict[str, Any]:
        """What identifies the content, for fingerprints."""
        several = {"n_files": len(self.parts)} if self.parts else {}
        if self.result is not None:
            several = {"n_rows": self.result.n_rows, **self.query}
        return {"n_bytes": self.n_bytes, "sha256": self.sha256, **several}


def find(text: str) -> Source:
    """Return the file, or the files, under a path; `~` is expanded."""
    path = _path(text)
    if path.is_dir() or (not path.exists() and is_glob(text)):
        return _several(path)
    return _one(path)


def _one(path: Path) -> Source:
    head = _head(path)
    kind = _kind(path, head)
    return Source(path, kind, path.stat().st_size)


def _several(path: Path) -> Source:
    root, names = files_of(path)
    parts = []
    for name in names:
        found = replace(_one(root / name), name=name.as_posix(), partition=partition(name))
        parts.append(found)
    _check_alike(path, parts)
    return Source(root, parts[0].kind, sum(part.n_bytes for part in parts), tuple(parts))


def _check_alike(path: Path, parts: Sequence[Source]) -> None:
    """Refuse files of different kinds, and folders that name other columns than the others."""
    kinds = Counter(part.kind for part in parts)
    if len(kinds) > 1:
        told = {kind: next(part.name for part in parts if part.kind is kind) for kind in kinds}
        shown = ", ".join(f"{n} {kind.value} ({told[kind]})" for kind, n in kinds.items())
        raise DataError(
            f"dataset.path={path} has files of different kinds: {shown}. Name one kind: "
            f"{path / '**' / ('*' + Path(parts[0].name).suffix) if path.is_dir() else '*.csv'}"
        )
    first = parts[0]
    for part in parts:
        if list(part.partition) != list(first.partition):
            raise DataError(
                f"dataset.path={path}: the folders of {first.name} name the columns "
                f"{', '.join(first.partition) or 'none'}, those of {part.name} "
                f"{', '.join(part.partition) or 'none'}. Give all files the same folders, KEY=VALUE"
            )


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
        raise DataError(
            f"dataset.path={path} is not a regular file: name a CSV, Parquet or Excel file"
        )
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise DataError(f"dataset.path={path} cannot be read: {error.strerror}") from error
    if not head:
        raise DataError(f"dataset.path={path} is empty: 0 bytes")
    return head


def _kind(path: Path, head: bytes) -> FileKind:
    named = path.suffix.lower()
    if head.startswith(_PARQUET) or named in (".parquet", ".pq"):
        return FileKind.parquet
    if named in _WORKBOOKS or head == _COMPOUND:
        return FileKind.excel
    if head.startswith(_ZIP):
        return _zipped(path)
    return FileKind.text


def _zipped(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        names = []
    # Workbooks are zip archives with a part of this name.
    if any(name.startswith("xl/workbook") for name in names):
        return FileKind.excel
    holds = f" of {', '.join(names[:3])}" if names else ""
    raise DataError(
        f"dataset.path={path} is a zip archive{holds}: unpack it and name the file inside"
    )


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file's content; of a large unchanged one, as it was found before."""
    before, found = digests.state(path), hashlib.sha256()
    n_bytes = before[0]
    is_large = n_bytes >= _MIN_REMEMBERED_BYTES
    if is_large and (known := digests.remembered(path)):
        return known
    with path.open("rb", buffering=0) as file, Progress(f"digest of {path.name}", 100) as progress:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
            progress.reach(file.tell() / n_bytes)
    if is_large:
        digests.remember(path, found.hexdigest(), before)
    return found.hexdigest()


def is_glob(text: str) -> bool:
    """Tell whether a path stands for several; a file of that very name is the caller's business."""
    return any(letter in text for letter in "*?[")


def files_of(path: Path) -> tuple[Path, list[PurePath]]:
    """Return the folder of a folder or a glob, and the files in it that are data, sorted."""
    if path.is_dir():
        root, found = path, list(_below(path, path))
    else:
        root = _root(path)
        found = list(_matches(root, path))
    names = {PurePath(file.relative_to(root)) for file in found}
    named = sorted(names, key=lambda name: name.parts)
    kept = [name for name in named if not any(_BESIDE.fullmatch(part) for part in name.parts)]
    if not kept:
        raise DataError(_nothing(path, named))
    return root, kept


def partition(name: PurePath) -> dict[str, str | None]:
    """Return the columns that a path has in the manner of Hive: ``year=2011/month=03/...``."""
    pairs = (part.partition("=") for part in name.parts[:-1])
    return {
        unquote(key): None if value == _MISSING else unquote(value)
        for key, equals, value in pairs
        if key and equals
    }


def stands_for(path: Path, file: Path) -> bool:
    """Tell whether a file, there or not, is one of those that a folder or a glob stands for."""
    wanted, named = os.path.realpath(path), os.path.realpath(file)
    if path.is_dir():
        return Path(named).is_relative_to(wanted)
    if path.exists() or not is_glob(str(path)):
        return False
    pattern = wanted.replace("**/", "*")
    return any(fnmatch.fnmatchcase(named, wanted) for wanted in (pattern, f"{pattern}/*"))


def _below(folder: Path, named: Path) -> Iterator[Path]:
    seen = set()
    for at, folders, names in os.walk(folder, followlinks=True):
        place = os.path.realpath(at)
        results = Path(at) != folder and _are_results(set(names))
        if place in seen or results:
            # A link that leads back, or what a run has left.
            folders.clear()
            continue
        seen.add(place)
        _refuse_tables(named, folders)
        yield from (Path(at, name) for name in names)


def _refuse_tables(named: Path, folders: list[str]) -> None:
    for name in folders:
        if name in _TABLES:
            raise DataError(
                f"dataset.path={named} is a {_TABLES[name]} table: its log in {name} says which "
                "files still count, and segrun does not read it. Export the table as Parquet files"
            )


def _root(pattern: Path) -> Path:
    """Return the folder in front of the first part that stands for several."""
    root = Path(pattern.anchor)
    for part in pattern.relative_to(root).parts[:-1]:
        # A folder of that very name counts, as a file does.
        if is_glob(part) and not (root / part).is_dir():
            break
        root /= part
    return root


def _matches(root: Path, pattern: Path) -> Iterator[Path]:
    # Not Path.glob, which takes hidden files, too.
    rest = str(pattern.relative_to(root))
    has_results = cache(_has_results)
    for match in glob.iglob(rest, root_dir=root, recursive=True):  # noqa: PTH207
        path = root / match
        if any(map(has_results, _folders(root, path))):
            continue
        if path.is_dir():
            yield from _below(path, pattern)
        else:
            yield path


def _folders(root: Path, path: Path) -> Iterator[Path]:
    """Yield the folders from below `root` to the path, itself if it is one."""
    names = path.relative_to(root).parts
    yield from (root.joinpath(*names[:n]) for n in range(1, len(names) + path.is_dir()))


def _has_results(folder: Path) -> bool:
    return _are_results({entry.name for entry in folder.iterdir()})


def _are_results(names: Set[str]) -> bool:
    return any(marks <= names for marks in _RESULTS)


def _nothing(path: Path, found: Sequence[PurePath]) -> str:
    if path.is_dir():
        said = f"dataset.path={path} is a folder without a file of data"
    else:
        said = f"dataset.path={path}: no file is called so (looked in {Path.cwd()})"
    if not found:
        return f"{said}. Name a folder or files of CSV, Parquet or Excel"
    more = f" and {len(found) - _N_SHOWN} more" if len(found) > _N_SHOWN else ""
    return (
        f"{said}: {', '.join(map(str, found[:_N_SHOWN]))}{more} are left out, as marks and "
        "unfinished files of other programs are called so. Rename what is data"
    )
