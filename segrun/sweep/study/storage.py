"""The storage of a study: opened, locked against other processes, its troubles told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from segrun.errors import StoreError

#: Seconds that SQLite waits for another process, that the lock is waited for, and between looks.
_SQLITE_TIMEOUT = 60
_LOCK_TIMEOUT = 600
_POLL = 0.005
_ERRORS = (SQLAlchemyError, StorageInternalError, OSError)


class Storage:
    """Where a study is kept: a storage URL of Optuna, and the study's name in it."""

    def __init__(self, url: str, study: str) -> None:
        self.url = url
        try:
            self._parsed: URL | None = make_url(url)
        except SQLAlchemyError:
            # Told by Optuna, when it is opened.
            self._parsed = None
        # Without a password.
        self._place = self._parsed.render_as_string() if self._parsed else url
        self.shown = f"the study {study!r} in {self._place}"
        file = _sqlite_file(self._parsed) if self._parsed else None
        self._lock = file and FileLock(file.with_name(f"{file.name}.lock"), timeout=_LOCK_TIMEOUT)

    @property
    def is_locked(self) -> bool:
        """Whether other processes of this machine wait: only a file of SQLite has a lock."""
        return self._lock is not None

    @contextmanager
    def exclusive(self, done: str) -> Iterator[None]:
        """Keep other processes out, where there is a lock; what fails cannot be `done`."""
        try:
            with self._lock.acquire(poll_interval=_POLL) if self._lock else nullcontext():
                yield
        except _ERRORS as error:
            raise StoreError(self._trouble(done, error)) from error

    def opened(self) -> RDBStorage:
        """Return the storage as Optuna has it."""
        options: dict[str, Any] = {}
        if self._lock and self._parsed:
            # A connection per step: none is left open, nor carried into a forked process.
            options["poolclass"] = NullPool
            if "timeout" not in self._parsed.query:
                options["connect_args"] = {"timeout": _SQLITE_TIMEOUT}
        try:
            return RDBStorage(self.url, engine_kwargs=options)
        except (ImportError, RuntimeError) as error:
            raise StoreError(f"the storage {self._place} cannot be opened: {error}") from error

    def _trouble(self, done: str, error: BaseException) -> str:
        causes = list(_causes(error))
        first = str(causes[-1]).strip().splitlines() or [type(error).__name__]
        cure = (
            "another program holds it: end that, then go on with segrun resume"
            if isinstance(error, TimeoutError) or any("locked" in str(cause) for cause in causes)
            else "name a database that can be written to and whose folder exists, "
            "hydra.sweeper.storage=sqlite:///PATH"
        )
        return f"{self.shown} cannot be {done} ({first[0]}): {cure}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _sqlite_file(url: URL) -> Path | None:
    """Return the file of an SQLite URL; None of memory and of other databases."""
    name = (url.database or "").removeprefix("file:")
    if url.get_backend_name() != "sqlite" or not name or ":memory:" in name:
        return None
    return Path(name).absolute()
