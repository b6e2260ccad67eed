"""Prepared data that the processes of one sweep have in common, as files that are mapped."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segrun.errors import SegrunError
from segrun.rundir.atomic import write_atomically

log = logging.getLogger("segrun.data.cache.shelf")


@dataclass(frozen=True)
class Shelf:
    """A folder of prepared data; what lies there is read without a copy, by any process.

    Attributes
    ----------
    directory : Path
        The folder; made where it is missing, removed by `clear`.
    """

    directory: Path

    @contextmanager
    def held(self, wanted: str) -> Iterator[Place]:
        """Give the place of an object to one process at a time; the others wait.

        Parameters
        ----------
        wanted : str
            What tells the object from others.
        """
        from filelock import FileLock

        file = self.directory / f"{hashlib.sha256(wanted.encode()).hexdigest()[:16]}.joblib"
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            yield Place(file)

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(frozen=True)
class Place:
    """Where one object lies, or will."""

    file: Path

    def taken(self) -> bool:
        """Return whether the object lies here."""
        return self.file.is_file()

    def get(self) -> Any:
        """Return the object; its arrays are read as they are used, and cannot be written."""
        from segrun.rundir.models import read_mapped

        return read_mapped(self.file)

    def put(self, found: Any) -> None:
        """Leave an object here; where it cannot be written, processes make their own."""
        from segrun.rundir.models import write_model

        try:
            write_atomically(self.file, lambda path: write_model(path, found))
        except SegrunError as error:
            log.warning("each process prepares its own data: %s", error)
