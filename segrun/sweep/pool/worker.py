"""A worker as the parent sees it: what it may use, its job, and how that ended."""

from __future__ import annotations

import os
import pickle
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from segrun.formats import in_bytes
from segrun.sweep.pool.process import ProcessTree, n_oom_kills
from segrun.sweep.pool.serve import WorkerReply, describe

P = TypeVar("P")

#: Imports are not the job, but they must end as well where jobs have a time limit.
_START_SECONDS = 300.0
#: A killed worker has this long to be gone.
_END_SECONDS = 5.0
#: This much fits into a pipe of which nobody reads.
_PIPE_BYTES = 16_384
#: Not every platform's signal module names it.
_SIGKILL = 9


@dataclass(frozen=True)
class WorkerLimits:
    """What workers may use.

    The ceiling of resident memory is that of one worker with its children, the time limit that of
    one job. After a Ctrl-C a worker has the grace to stop before it is killed.
    """

    n_jobs: int = 1
    max_rss_bytes: int | None = None
    time_limit_seconds: float | None = None
    grace_seconds: float = 10.0


@dataclass(frozen=True)
class WorkerResult(Generic[P]):
    """How one job ended: returned, raised, oom, crashed, timeout or interrupted.

    `value` is what the task returned, `reason` says what happened unless it did. The seconds are
    without the start of a worker, the memory is the highest seen of the worker with its children.
    """

    payload: P
    status: str
    value: Any
    reason: str
    wall_seconds: float
    peak_rss_bytes: int | None
    pid: int


@dataclass
class _Job(Generic[P]):
    payload: P
    n_oom_kills: int
    taken: float
    #: As far as the parent knows; the worker measures it itself.
    began: float | None = None
    #: What the worker gets when it listens.
    unsent: bytes = b""
    peak: int = 0


class Worker(Generic[P]):
    """The parent's side of one worker, which has at most one job."""

    def __init__(self, process: SpawnProcess, connection: Connection[Any, Any]) -> None:
        assert process.pid is not None
        self.process, self.pid = process, process.pid
        self._connection = connection
        self._tree = ProcessTree(self.pid)
        self._ready = False
        self.job: _Job[P] | None = None
        #: Whether it serves no further job.
        self.spent = False

    @property
    def waitable(self) -> list[Any]:
        """What is ready when the worker says something or dies."""
        return [self._connection, self.process.sentinel]

    def take(self, payload: P) -> None:
        """Give an idle worker its job."""
        content, now = pickle.dumps(payload), time.perf_counter()
        self.job = _Job(payload, n_oom_kills(), now, now if self._ready else None)
        # A new worker then goes on by itself; but it does not listen while it imports.
        if self._ready or len(content) <= _PIPE_BYTES:
            self._send(content)
        else:
            self.job.unsent = content

    def _send(self, content: bytes) -> None:
        # Death is found out by `look`.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send_bytes(content)

    def look(self, limits: WorkerLimits) -> WorkerResult[P] | None:
        """Return how the job ended, None while it runs."""
        assert self.job is not None
        # In this order: what it said before it died counts.
        dead = self.process.exitcode is not None
        try:
            if self._connection.poll():
                return self._hear(self.job, self._connection.recv())
        except (EOFError, OSError):
            self.process.join(_END_SECONDS)
            dead = True
        return self._died(self.job) if dead else self._check(self.job, limits)

    def _hear(self, job: _Job[P], message: str | WorkerReply) -> WorkerResult[P] | None:
        if isinstance(message, WorkerReply):
            return self._replied(job, message)
        if message:
            # The next one may be luckier: it could have been a lack of memory.
            return self._lost(job, "raised", f"the worker could not start: {message}")
        self._ready = True
        if job.unsent:
            self._send(job.unsent)
        job.began = time.perf_counter()
        return None

    def _replied(self, job: _Job[P], reply: WorkerReply) -> WorkerResult[P]:
        job.peak = max(job.peak, reply.peak_rss_bytes or 0)
        # It remembers the Ctrl-C and ends.
        self.spent = reply.status == "interrupted"
        status, value, reason = reply.status, None, reply.reason
        try:
            value = pickle.loads(reply.value) if reply.value else None  # noqa: S301 - ours
        except Exception as error:  # noqa: BLE001 - it runs code of the value's class
            status, reason = "raised", f"the value cannot be read: {describe(error)}"
        result = self._result(job, status, reason)
        return replace(result, value=value, wall_seconds=reply.wall_seconds)

    def _died(self, job: _Job[P]) -> WorkerResult[P]:
        code = self.process.exitcode
        status, reason = "crashed", _death(code)
        if code == -_SIGKILL and n_oom_kills() > job.n_oom_kills:
            status, reason = "oom", f"{reason} by the kernel, which had no memory left"
            if job.peak:
                reason += f"; resident memory was {in_bytes(job.peak, 3)}"
        if job.began is None:
            reason = f"the worker could not start: {reason}"
        return self._lost(job, status, reason)

    def _check(self, job: _Job[P], limits: WorkerLimits) -> WorkerResult[P] | None:
        ceiling, limit = limits.max_rss_bytes, limits.time_limit_seconds
        rss = self._tree.rss(ceiling)
        job.peak = max(job.peak, rss)
        if ceiling is not None and rss > ceiling:
            told, allowed = in_bytes(rss, 3), in_bytes(ceiling, 3)
            reason = f"resident memory {told} passed the ceiling of {allowed}"
            return self._lost(job, "oom", reason)
        if limit is not None and job.began is not None and _since(job.began) > limit:
            return self._lost(job, "timeout", f"not ended after {limit:g} s")
        if limit is not None and job.began is None and _since(job.taken) > _START_SECONDS:
            return self._lost(job, "timeout", f"no worker after {_START_SECONDS:g} s")
        return None

    def _lost(self, job: _Job[P], status: str, reason: str) -> WorkerResult[P]:
        self.spent = True
        return self._result(job, status, reason)

    def _result(self, job: _Job[P], status: str, reason: str) -> WorkerResult[P]:
        self.job = None
        wall = 0.0 if job.began is None else _since(job.began)
        return WorkerResult(job.payload, status, None, reason, wall, job.peak or None, self.pid)

    def interrupt(self) -> bool:
        """Pass a Ctrl-C on; return whether there is a job that got it."""
        if self.job is None or self.job.began is None:
            return False
        # Elsewhere this would kill, and a Ctrl-C reaches all processes of a console anyway.
        if os.name == "posix":
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)
        return True

    def dismiss(self) -> bool:
        """Let an idle worker go; return whether it was one."""
        if self.spent or self.job is not None or not self._ready:
            return False
        self._connection.close()
        return True

    def kill(self) -> None:
        """Kill the worker and its children, if it lives, and give back what it held."""
        self._tree.kill()
        self.process.join(_END_SECONDS)
        self._connection.close()
        # Not even a kill ends a process that waits for a broken disk.
        with suppress(ValueError):
            self.process.close()


def _death(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed by signal {-code}"


def _since(moment: float) -> float:
    return time.perf_counter() - moment
