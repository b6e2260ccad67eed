"""Folders and globs: which files they stand for, in which order, and what their folders say."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterator, Sequence, Set
from functools import cache
from pathlib import Path, PurePath
from urllib.parse import unquote

from segrun.errors import DataError
from segrun.rundir.claim import MANIFEST, UNFINISHED

_N_SHOWN = 5

#: What writers leave beside the data: marks, checksums, what is not finished, locks of editors.
_BESIDE = re.compile(r"[._~].*|.*(~|\.(crc|tmp|temp|part|partial|crdownload|swp|lock))", re.I)

#: Of these, not every file counts: a log beside them says which.
_TABLES = {"_delta_log": "Delta", "_hudi": "Hudi", ".hoodie": "Hudi"}

#: Files of segrun's own directories of results, which are no input.
_RESULTS = ({UNFINISHED}, {MANIFEST, "experiment.yaml"}, {"sweep.json"})

#: What stands in a path for a missing value.
_MISSING = "__HIVE_DEFAULT_PARTITION__"


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
