"""What every stage took: wall and CPU seconds, peak memory, and who else used the machine."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

#: Over less, the kernel's clock ticks (10 ms) say nothing about the load of others.
_SHORTEST_LOAD_SECONDS = 0.1
#: A shorter stage is judged by the load over at least this long, which ends with it.
_LOAD_SECONDS = 0.5

#: Stages that this process has run: the first of each is cold (imports, thread pools, caches).
_seen: set[str] = set()


class _Mark(NamedTuple):
    """A moment, and what the machine and this process had computed by then, in seconds."""

    wall: float
    busy: float
    own: float


#: Ends and beginnings of stages, the oldest first: one that is older than the load needs, at most.
_marks: deque[_Mark] = deque()


@dataclass
class Timing:
    """One row of ``timings.csv``.

    Attributes
    ----------
    stage : str
        load, features, augment, transform, fit, evaluate, store or describe.
    point : str
        Slug of the grid point, empty for stages that serve the whole grid.
    repeat : int
        Number of the repeat, from 0.
    wall_seconds, cpu_seconds : float
        Of the stage alone; for a fit, of ``fit_predict`` alone.
    peak_rss_bytes : int or None
        Highest resident memory of the process during the stage (Linux), otherwise since the
        process started.
    backend_asked, backend_ran, reason : str
        Of a fit: what was asked, what ran, and why they differ.
    shared : bool
        True where the time is an equal share of work done for several points at once.
    cold : bool
        True for the first of its kind in this process.
    other_load : float or None
        Cores kept busy by other processes meanwhile; of a stage shorter than half a second, over
        the half second that ended with it. None in the first moments of a process.
    attempt : int
        Number of the attempt at this run, from 0: a run that was stopped can be resumed.
    n_parallel : int
        Jobs that could run side by side: times taken so are not those of a machine alone.
    """

    stage: str
    point: str = ""
    repeat: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int | None = None
    backend_asked: str = ""
    backend_ran: str = ""
    reason: str = ""
    shared: bool = False
    cold: bool = False
    other_load: float | None = None
    attempt: int = 0
    n_parallel: int = 1


class Timings:
    """The timings of one run, in order, behind those of earlier attempts at it (`before`)."""

    def __init__(self, before: Sequence[Mapping[str, str]] = (), n_parallel: int = 1) -> None:
        self.rows: list[Timing] = []
        self.before = before
        self.attempt = 1 + max((int(row["attempt"]) for row in before), default=-1)
        self.n_parallel = n_parallel

    @contextmanager
    def stage(self, stage: str, point: str = "", repeat: int = 0) -> Iterator[Timing]:
        """Time the body as one row; a body that raises leaves its row as well."""
        timing = Timing(
            stage, point, repeat, cold=stage not in _seen, attempt=self.attempt,
            n_parallel=self.n_parallel,
        )  # fmt: skip
        _seen.add(stage)
        reset_peak()
        began = _mark()
        try:
            yield timing
        finally:
            ended = _mark()
            whole, own = ended.wall - began.wall, ended.own - began.own
            # A fit brings its own, narrower times.
            timing.wall_seconds = timing.wall_seconds or whole
            timing.cpu_seconds = timing.cpu_seconds or own
            timing.peak_rss_bytes = peak_rss_bytes()
            timing.other_load = _load(began if whole >= _LOAD_SECONDS else _marks[0], ended)
            self.rows.append(timing)

    def drop_shared(self, *, after: int, repeat: int) -> None:
        """Drop the shared fits of a repeat but the first ones: what they did is done again."""
        shared = [row for row in self.rows if row.shared and row.repeat == repeat]
        dropped = {id(row) for row in shared[after:]}
        self.rows = [row for row in self.rows if id(row) not in dropped]

    def table(self) -> list[dict[str, object]]:
        """Return the rows as ``timings.csv`` has them, those of earlier attempts first."""
        return [*(dict(row) for row in self.before), *(dict(vars(row)) for row in self.rows)]

    def fitted_before(self) -> set[tuple[str, int]]:
        """Return (point, repeat) of every fit that an earlier attempt brought to its end."""
        return {
            (row["point"], int(row["repeat"]))
            for row in self.before
            if row["stage"] == "fit" and row["backend_ran"]
        }


def _mark() -> _Mark:
    """Take a mark, and drop those that are older than needed."""
    mark = _Mark(time.perf_counter(), _busy_seconds(), time.process_time())
    _marks.append(mark)
    while len(_marks) > 1 and mark.wall - _marks[1].wall >= _LOAD_SECONDS:
        _marks.popleft()
    return mark


def _load(since: _Mark, until: _Mark) -> float | None:
    """Return the cores that other processes kept busy meanwhile; None if that cannot be told."""
    seconds = until.wall - since.wall
    if seconds < _SHORTEST_LOAD_SECONDS:
        return None
    others = (until.busy - since.busy) - (until.own - since.own)
    return max(0.0, round(others / seconds, 3))


def _busy_seconds() -> float:
    import psutil

    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - _guest(times))


def _guest(times: object) -> float:
    # Linux counts the time of guests in `user` already.
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))


def reset_peak() -> None:
    """Let the highest resident memory of this process count from now on, where that is possible."""
    # Linux only: 5 resets the process's high-water mark (proc(5), clear_refs).
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_rss_bytes() -> int | None:
    """Return the highest resident memory of this process, None if the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return _peak_rss_bytes_elsewhere()
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _peak_rss_bytes_elsewhere() -> int | None:
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
