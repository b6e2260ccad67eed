"""How much of the evaluation is done, counted from several threads."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class Work:
    """Adds up work and reports the fraction done.

    Parameters
    ----------
    total : float
        All the work, in any unit.
    report : callable or None
        Called with the fraction done, 0 to 1, never decreasing and never by two threads at once.
    """

    def __init__(self, total: float, report: Callable[[float], None] | None) -> None:
        self._total = total
        self._report = report
        self._done = 0.0
        self._lock = Lock()

    def advance(self, work: float) -> None:
        """Add `work` to what is done."""
        if self._report is None:
            return
        with self._lock:
            self._done += work
            self._report(min(1.0, self._done / self._total))
