"""What jobs of one sweep share: in the memory of a process, and between processes as files."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from segrun.errors import SegrunError
from segrun.rundir.atomic import write_atomically

log = logging.getLogger("segrun.data.cache")


class Sized(Protocol):
    """What can be kept in memory."""

    @property
    def n_bytes(self) -> int:
        """Its size in memory."""


@dataclass(frozen=True)
class JobCache:
    """Objects by key: those used last in memory, all of them in files where there is a folder.

    Attributes
    ----------
    folder : Path or None
        Where processes leave objects for each other; made where it is missing, removed by `clear`.
    max_bytes : int
        What is kept in memory; the object used last is, whatever its size.
    """

    folder: Path | None = None
    max_bytes: int = 500_000_000
    _memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory behind: every process has its own."""
        return {**self.__dict__, "_memory": {}}

    @contextmanager
    def held(self, key: str) -> Iterator[Cached]:
        """Give what is cached under a key; other processes that want it wait meanwhile."""
        if key in self._memory or self.folder is None:
            yield Cached(self, key, None)
            return
        from filelock import FileLock

        file = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.joblib"
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            yield Cached(self, key, file)

    def remember(self, key: str, value: Sized) -> None:
        """Keep an object in memory; what was not used for longest goes where there is no room."""
        self._memory.pop(key, None)
        self._memory[key] = value
        while len(self._memory) > 1 and self.n_bytes > self.max_bytes:
            del self._memory[next(iter(self._memory))]

    @property
    def n_bytes(self) -> int:
        """The size of what is in memory."""
        return sum(value.n_bytes for value in self._memory.values())

    def clear(self) -> None:
        """Remove the folder."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Cached:
    """One object of a cache, there or not."""

    cache: JobCache
    key: str
    file: Path | None

    @property
    def made_by(self) -> str:
        """Who has made the object, in words; empty where it is not there."""
        if self.key in self.cache._memory:
            return "an earlier job of this process"
        return "a job of another process" if self.file is not None and self.file.is_file() else ""

    def get(self) -> Any:
        """Return the object; arrays of a file are read as they are used, and cannot be written."""
        from segrun.rundir.models import read_mapped

        found = self.cache._memory.get(self.key)
        if found is None:
            assert self.file is not None
            found = read_mapped(self.file)
        self.cache.remember(self.key, found)
        return found

    def put(self, value: Sized) -> None:
        """Keep an object; where its file cannot be written, processes make their own."""
        from segrun.rundir.models import write_model

        self.cache.remember(self.key, value)
        if self.file is None:
            return
        try:
            write_atomically(self.file, lambda path: write_model(path, value))
        except SegrunError as error:
            log.warning("each process prepares its own data: %s", error)
