"""The storage of a study: opened, locked against other processes, tried again while it is held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from segrun.errors import StoreError

_T = TypeVar("_T")

#: Seconds that SQLite waits for another process, that the lock is waited for, between two looks
#: at it, and between tries.
_SQLITE_TIMEOUT = 60
_LOCK_TIMEOUT = 600
_POLL = 0.005
_PAUSES = (0.1, 0.3, 1.0)
_ERRORS = (SQLAlchemyError, StorageInternalError, OSError)


class Storage:
    """Where a study is kept.

    Parameters
    ----------
    url : str
        A storage URL of Optuna.
    study : str
        The study's name in it.

    Attributes
    ----------
    shown : str
        The study and its storage in messages, without a password.
    is_locked : bool
        Whether other processes of this machine wait: only a file of SQLite has a lock.
    """

    def __init__(self, url: str, study: str) -> None:
        self.url = url
        self.shown = f"the study {study!r} in {_without_password(url)}"
        self._lock = _lock(url)
        self.is_locked = self._lock is not None

    def exclusive(self) -> AbstractContextManager[Any]:
        """Keep other processes out, where there is a lock."""
        if self._lock is None:
            return nullcontext()
        return self._lock.acquire(poll_interval=_POLL)

    def patiently(self, done: str, work: Callable[[], _T]) -> _T:
        """Do some work on the storage, again where it is locked for longer than it waits.

        Parameters
        ----------
        done : str
            What it cannot be where that fails, such as ``read``.
        work : callable
            Does it.

        Raises
        ------
        StoreError
            With the cure.
        """
        for pause in (*_PAUSES, None):
            try:
                return work()
            except _ERRORS as error:
                waited = isinstance(error, Timeout)
                locked = waited or any("locked" in str(cause) for cause in _causes(error))
                if not locked or waited or pause is None:
                    raise StoreError(self._trouble(done, error, locked=locked)) from error
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def opened(self) -> RDBStorage:
        """Return the storage as Optuna has it.

        Raises
        ------
        StoreError
            If its driver is not installed, or it was made by another version of Optuna.
        """
        options: dict[str, Any] = {}
        if _file(self.url) is not None:
            # A connection per step: none is left open, nor carried into a forked process.
            options["poolclass"] = NullPool
            if "timeout" not in make_url(self.url).query:
                options["connect_args"] = {"timeout": _SQLITE_TIMEOUT}
        try:
            return RDBStorage(self.url, engine_kwargs=options)
        except (ImportError, RuntimeError) as error:
            shown = _without_password(self.url)
            raise StoreError(f"the storage {shown} cannot be opened: {error}") from error

    def _trouble(self, done: str, error: BaseException, *, locked: bool) -> str:
        first = str(list(_causes(error))[-1]).strip().splitlines() or [type(error).__name__]
        cure = (
            "another program holds it: end that, then go on with segrun resume"
            if locked
            else "name a database that can be written to and whose folder exists, "
            "hydra.sweeper.storage=sqlite:///PATH"
        )
        return f"{self.shown} cannot be {done} ({first[0]}): {cure}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return url


def _file(url: str) -> Path | None:
    """Return the file of an SQLite URL; None of memory and of other databases."""
    try:
        made = make_url(url)
    except SQLAlchemyError:
        return None
    name = (made.database or "").removeprefix("file:")
    if made.get_backend_name() != "sqlite" or not name or ":memory:" in name:
        return None
    return Path(name).absolute()


def _lock(url: str) -> FileLock | None:
    path = _file(url)
    if path is None:
        return None
    return FileLock(path.with_name(f"{path.name}.lock"), timeout=_LOCK_TIMEOUT)
