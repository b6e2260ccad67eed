"""Where results may be written: on no input, into no run, and only where a file can be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from segrun.data.datasets.source import stands_for
from segrun.data.datasets.sql import file_of
from segrun.errors import StoreError
from segrun.rundir.claim import MANIFEST, UNFINISHED
from segrun.rundir.finished import FinishedRun


def inputs_of(run: FinishedRun, *others: str | None) -> list[Path]:
    """Return the files that a run read, and others that are read now."""
    dataset: Mapping[str, Any] = run.experiment["dataset"]
    titles = (dataset.get("items") or {}).get("path")
    found = [dataset.get("path"), titles, *others]
    return [file_of(path) for path in found if path]


def check_targets(files: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse files that cannot be written, or would take the place of what is needed."""
    known = list(inputs)
    for file in files:
        for source in known:
            if is_same(file, source):
                raise StoreError(f"{file} is the input {source}, which stays: choose another file")
            if stands_for(source, file):
                raise StoreError(
                    f"{file} would be one of the files of the input {source}: choose one elsewhere"
                )
        for folder in file.resolve().parents:
            if _is_run(folder):
                raise StoreError(
                    f"{file} is in the run directory {folder}, whose {MANIFEST} names every file "
                    "in it: choose a file outside"
                )
        check_writable(file)


def check_writable(file: Path) -> None:
    """Refuse a file that cannot be written where it is to be."""
    if file.is_dir():
        raise StoreError(f"cannot write {file}: it is a directory")
    folder = next(f for f in file.absolute().parents if os.path.lexists(f))
    if not folder.is_dir():
        raise StoreError(f"cannot write {file}: {folder} is no directory")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"cannot write {file}: no permission to write to {folder}")


def is_same(file: Path, source: Path) -> bool:
    """Tell whether two paths are one file."""
    try:
        # Also by another link, or in other letters where the system does not tell them apart.
        return file.samefile(source)
    except OSError:
        return file.resolve() == source.resolve()


def _is_run(folder: Path) -> bool:
    marks = (MANIFEST, UNFINISHED)
    return (folder / "experiment.yaml").is_file() and any((folder / m).is_file() for m in marks)
