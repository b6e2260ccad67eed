"""Proof of who fitted: what scikit-learn-intelex logs, and what fits leave on the model.

scikit-learn-intelex falls back to stock scikit-learn without a word in its results. Two
things tell: its log, and the private attribute ``_onedal_estimator`` of the fitted object.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_LINE = re.compile(r"sklearn\.(?:\w+\.)+(?P<name>\w+)\.fit: (?P<what>.*)", re.DOTALL)
_CAUSE = "patching failed with cause - "
_FALLBACK = "fallback to original Scikit-learn"
_ACCELERATED = "running accelerated version"
_REPLACED = "oneDAL does not support "


class _Lines(logging.Handler):
    """Keeps messages instead of printing them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what the ``sklearnex`` logger says, printing nothing; it is restored after."""
    logger, handler = logging.getLogger("sklearnex"), _Lines()
    before = logger.handlers, logger.propagate, logger.disabled, logger.manager.disable
    level = logger.level
    # Causes come at DEBUG, and neither a logging configuration nor logging.disable() may
    # take the evidence away. setLevel is last: it empties the cache of enabled levels.
    logger.handlers, logger.propagate, logger.disabled = [handler], False, False
    logger.manager.disable = logging.NOTSET
    logger.setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        logger.handlers, logger.propagate, logger.disabled, logger.manager.disable = before
        logger.setLevel(level)


def is_intelex(cls: type) -> bool:
    """Return whether a class is scikit-learn-intelex's own."""
    return cls.__module__.partition(".")[0] == "sklearnex"


def is_native(cls: type) -> bool:
    """Return whether a class is fitted by segrun's own kernels."""
    return cls.__module__.startswith("segrun.algorithms.native.")


def who_ran(estimator: Any, lines: Sequence[str]) -> tuple[str, str]:
    """Return what fitted `estimator`, in doubt sklearn, and why where that needs a word.

    `lines` are what the ``sklearnex`` logger said meanwhile. The word is why oneDAL or the kernels
    did not run, what oneDAL replaced, or what made the kernels slow.
    """
    name = type(estimator).__name__
    if is_native(type(estimator)):
        if estimator.native_reason_:
            return "sklearn", estimator.native_reason_
        return "native", getattr(estimator, "native_note_", "")
    if not is_intelex(type(estimator)):
        return "sklearn", ""
    # Only this estimator's own fit counts, not those of others inside it, nor its predict.
    found = [match for line in lines if (match := _LINE.match(line))]
    said = [match["what"] for match in found if match["name"] == name]
    fell_back = any(_FALLBACK in what for what in said)
    logged = any(what.startswith(_ACCELERATED) for what in said) and not fell_back
    held = hasattr(estimator, "_onedal_estimator")
    if logged and held:
        return "onedal", _join(line for line in lines if line.startswith(_REPLACED))
    causes = _join(what.removeprefix(_CAUSE) for what in said if what.startswith(_CAUSE))
    if fell_back and not held:
        return "sklearn", causes or "scikit-learn-intelex gave no reason"
    log = "oneDAL ran" if logged else "it fell back" if fell_back else "nothing"
    return "sklearn", (
        f"not proven: scikit-learn-intelex's log says {log}, but the fitted {name} "
        f"{'holds' if held else 'lacks'} a oneDAL model{'; ' + causes if causes else ''}"
    )


def _join(parts: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(part.strip() for part in parts))


def to_stock(estimator: Any) -> Any:
    """Return an estimator that scikit-learn-intelex or a kernel fitted as the stock one.

    Pickled, their own would not load where scikit-learn-intelex, or segrun, is not installed.
    """
    cls = type(estimator)
    if not _is_ours(cls):
        return estimator
    stock = next(c for c in cls.__mro__ if c.__name__ == cls.__name__ and not _is_ours(c))
    # n_jobs, for one, is an addition that the stock KMeans lacks.
    additions = set(cls().get_params(deep=False)) - set(stock().get_params(deep=False))
    model = stock()
    for name, value in vars(estimator).items():
        if name not in additions and not name.startswith(("_onedal", "native_")):
            setattr(model, name, value)
    return model


def _is_ours(cls: type) -> bool:
    return is_intelex(cls) or is_native(cls)
