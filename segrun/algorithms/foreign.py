"""Code of others: it raises nothing but errors, and stdout, which is for results, is not its."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress


@contextmanager
def only_errors() -> Iterator[None]:
    """Turn what is neither an error nor a wish to end into an error that can be told.

    Rust's panics, for one, derive from BaseException, so that no ``except Exception`` meets them.

    Raises
    ------
    RuntimeError
        Naming what was raised.
    """
    try:
        yield
    except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


@contextmanager
def off_stdout() -> Iterator[None]:
    """Let the descriptor of stdout be that of stderr: libraries below Python print to it."""
    try:
        # Of a worker process both are the same already.
        kept = None if os.path.sameopenfile(1, 2) else os.dup(1)
    except OSError:
        # One of them is closed.
        kept = None
    if kept is None:
        yield
        return
    stdout = sys.stdout
    _flush(stdout)
    try:
        os.dup2(2, 1)
        yield
    finally:
        _flush(stdout)
        _flush_c()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def contained() -> Iterator[None]:
    """Call code of others: see `only_errors`; what it prints goes to stderr."""
    with only_errors(), off_stdout(), redirect_stdout(sys.stderr):
        yield


def _flush(stream: object) -> None:
    # What cannot be written now is the business of whoever wrote it.
    with suppress(OSError, ValueError, AttributeError):
        stream.flush()  # type: ignore[attr-defined]


def _flush_c() -> None:
    """Write out what C's own printf holds back."""
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)
