"""One thing kept in the cache directory: whole or not there, made by one process at a time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from segrun.data.cache.directory import cache_directory, locked, remove_leftovers, unwritable

log = logging.getLogger("segrun.data.cache")

#: What is kept: tables as they were read, and features.
KINDS = ("tables", "features")

_FACTS, _USED = "entry.json", "used"


@dataclass(frozen=True)
class Entry:
    """A folder of files with what is told of them; a process that uses it leaves a mark there.

    `kind` is one of `KINDS`, `key` what tells it from others, `cache` the cache directory.
    """

    kind: str
    key: str
    cache: Path

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        return self.cache / self.kind / self.key

    def told(self) -> dict[str, Any] | None:
        """Return what is told of it, None where it is not there or not whole."""
        try:
            told: dict[str, Any] = json.loads((self.path / _FACTS).read_text(encoding="utf-8"))
            sizes = {name: (self.path / name).stat().st_size for name in told["files"]}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            sizes, told = {}, {}
        if not told or sizes != told["files"]:
            log.warning("%s is damaged and made anew", self.path)
            return None
        return told

    @contextmanager
    def using(self) -> Iterator[dict[str, Any] | None]:
        """Give what is told of it, None where it is not there; it stays while the context lasts."""
        mark = self.path / f"in-use-{os.getpid()}-{os.urandom(4).hex()}"
        with locked(self.cache, f"{self.kind}-{self.key}"):
            told = self.told()
            if told is not None:
                # A cache that cannot be written can still be read.
                with suppress(OSError):
                    mark.touch()
                    (self.path / _USED).touch()
        try:
            yield told
        finally:
            with suppress(OSError):
                mark.unlink(missing_ok=True)

    def keep(self, folder: Path, what: str, facts: Mapping[str, Any]) -> None:
        """Make a folder of files this entry; it is moved, and there only as a whole."""
        files = {file.name: file.stat().st_size for file in folder.iterdir()}
        made = datetime.now().isoformat(timespec="seconds")
        told = {"what": what, "made": made, "files": files, "facts": dict(facts)}
        try:
            (folder / _FACTS).write_text(json.dumps(told), encoding="utf-8")
            with locked(self.cache, f"{self.kind}-{self.key}"):
                if self.told() is not None:
                    return
                shutil.rmtree(self.path, ignore_errors=True)
                folder.rename(self.path)
        except OSError as error:
            raise unwritable(self.cache, error) from error

    def users(self) -> list[int]:
        """Return the processes that use it."""
        import psutil

        found = [int(mark.name.split("-")[2]) for mark in self.path.glob("in-use-*")]
        return [pid for pid in found if psutil.pid_exists(pid)]

    @property
    def n_bytes(self) -> int:
        """Its size on disk."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    @property
    def last_used(self) -> datetime:
        """When a run last used it."""
        used = self.path / _USED
        return datetime.fromtimestamp((used if used.exists() else self.path).stat().st_mtime)

    def remove(self) -> bool:
        """Remove it unless a process uses it, and tell whether it is gone."""
        with locked(self.cache, f"{self.kind}-{self.key}"):
            if self.users():
                return False
            # First its name, so that a kill leaves nothing that looks whole.
            gone = self.path.with_name(f"making-{os.getpid()}-{self.key}")
            self.path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        return True


def entries(cache: Path | None = None) -> list[Entry]:
    """Return all entries of the cache directory, those used last first."""
    where = cache or cache_directory()
    found = [
        Entry(kind, facts.parent.name, where)
        for kind in KINDS
        for facts in (where / kind).glob(f"*/{_FACTS}")
        if not facts.parent.name.startswith("making-")
    ]
    return sorted(found, key=lambda entry: entry.last_used, reverse=True)


def key_of(*parts: object) -> str:
    """Return a short key of plain values."""
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@contextmanager
def making(kind: str, cache: Path) -> Iterator[Path]:
    """Give a folder to be filled; what is not kept of it goes at the end, also after a kill."""
    home = cache / kind
    try:
        home.mkdir(parents=True, exist_ok=True)
        remove_leftovers(home, "making")
        folder = Path(mkdtemp(dir=home, prefix=f"making-{os.getpid()}-"))
    except OSError as error:
        raise unwritable(cache, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
