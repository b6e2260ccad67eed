"""Ctrl-C that is not lost: some libraries swallow it, and Python itself does in a destructor."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class _State:
    asked: bool = False
    n_deferred: int = 0


_state = _State()


def listen() -> None:
    """Remember every Ctrl-C from now on, besides raising KeyboardInterrupt as Python does."""
    # Not where it is ignored (nohup) or somebody else's already.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _on_signal)
        sys.unraisablehook = _unraisable


def asked() -> bool:
    """Tell whether there was a Ctrl-C."""
    return _state.asked


def check() -> None:
    """Raise KeyboardInterrupt if there was a Ctrl-C, although something swallowed it."""
    if _state.asked:
        raise KeyboardInterrupt


@contextmanager
def deferred() -> Iterator[None]:
    """Let the body, a short one that cleans up, end before a Ctrl-C counts."""
    before, _state.n_deferred = _state.asked, _state.n_deferred + 1
    try:
        yield
    finally:
        _state.n_deferred -= 1
    if not before:
        check()


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    _state.asked = True
    if not _state.n_deferred:
        raise KeyboardInterrupt


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    # `check` tells of it.
    if not issubclass(what.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(what)
