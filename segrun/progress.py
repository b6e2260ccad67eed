"""Progress on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from segrun.formats import in_bytes

#: Nothing is shown of work shorter than this; afterwards a plain line this often.
_QUIET_SECONDS = 2.0
_PLAIN_LINE_SECONDS = 10.0


class Progress:
    """Counts done, failed and skipped pieces of `total` and shows them with the time left."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total = label, total
        self.counts: Counter[str] = Counter()
        self._started = self._shown = time.monotonic()
        self._bar = _bar(label, total) if sys.stderr.isatty() else None
        self._logs = ExitStack()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            from tqdm.contrib.logging import logging_redirect_tqdm

            level = min((h.level for h in logging.root.handlers if _console(h)), default=0)
            # A log line then stands above the bar instead of inside it.
            self._logs.enter_context(logging_redirect_tqdm())
            # tqdm's handler forgets the level of the one that it stands in for.
            for handler in filter(_console, logging.root.handlers):
                handler.setLevel(level)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        self._logs.close()

    def advance(self, status: str = "done") -> None:
        """Count one more piece with this status."""
        self.counts[status] += 1
        if self._bar is not None:
            bad = {name: n for name, n in self.counts.items() if name != "done"}
            self._bar.set_postfix(bad, refresh=False)
            self._bar.update(1)
        else:
            self._plain_line()

    def reach(self, fraction: float) -> None:
        """Count up to this fraction of `total`, where the work is not counted in pieces."""
        for _ in range(int(fraction * self.total) - self.counts.total()):
            self.advance()

    def _plain_line(self) -> None:
        now = time.monotonic()
        seen = self.counts.total()
        if now - self._started < _QUIET_SECONDS or seen == self.total:
            return
        if self._shown > self._started and now - self._shown < _PLAIN_LINE_SECONDS:
            return
        self._shown = now
        left = (now - self._started) / seen * (self.total - seen)
        states = ", ".join(f"{n} {name}" for name, n in self.counts.items())
        print(  # noqa: T201 - progress is terminal output, not a log record
            f"{self.label}: {states} of {self.total}, about {left:.0f} s left",
            file=sys.stderr, flush=True,
        )  # fmt: skip


class Flow:
    """Counts rows and bytes of what has no known end, and shows them."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._n_rows = self._n_bytes = 0
        self._started = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Flow:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._terminal and self._shown > self._started:
            # The line goes, as a bar does.
            print("\r\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201

    def advance(self, n_rows: int, n_bytes: int) -> None:
        """Count what has come."""
        self._n_rows += n_rows
        self._n_bytes += n_bytes
        now = time.monotonic()
        wait = 0.5 if self._terminal else _PLAIN_LINE_SECONDS
        shown = self._shown > self._started
        if now - self._started < _QUIET_SECONDS or (shown and now - self._shown < wait):
            return
        self._shown = now
        said = (
            f"{self._label}: {self._n_rows:,} rows, {in_bytes(self._n_bytes, 3)}, "
            f"{now - self._started:.0f} s"
        )
        print(  # noqa: T201 - progress is terminal output, not a log record
            f"\r\033[K{said}" if self._terminal else said,
            end="" if self._terminal else "\n", file=sys.stderr, flush=True,
        )  # fmt: skip


def _console(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and handler.stream in (
        sys.stdout,
        sys.stderr,
    )


def _bar(label: str, total: int) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=total,
        desc=label,
        delay=_QUIET_SECONDS,
        leave=False,
        file=sys.stderr,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt}, "
        "{elapsed} gone, {remaining} left{postfix}",
    )
