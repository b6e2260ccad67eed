"""Worker processes that live long, one job at a time each, with a ceiling of memory and of time."""

from __future__ import annotations

import atexit
import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any, Generic

from segrun import interrupt
from segrun.sweep.pool.process import Watchdog, sigint_held, spawn
from segrun.sweep.pool.worker import P, Worker, WorkerLimits, WorkerResult

__all__ = ["WorkerLimits", "WorkerResult", "run_isolated"]

#: Memory and time of busy workers are looked at this often, in seconds.
_POLL_SECONDS = 0.03
#: Idle workers have this long to end by themselves.
_END_SECONDS = 5.0


def run_isolated(
    payloads: Iterator[P],
    task: Callable[[P], Any],
    limits: WorkerLimits,
    *,
    prepare: Callable[[], None] | None = None,
) -> Iterator[WorkerResult[P]]:
    """Run a task on every payload in worker processes and yield how each job ended, as they end.

    A job that is killed, runs out of memory or crashes takes its worker with it and nothing
    else: the next payload gets a new one. WorkerLimits are watched while the caller waits for a
    result. All calls of ``next`` belong into one thread: workers die with the one that started
    them.

    Payloads are taken one by one, as workers are free; with one worker not before the caller is
    back from the result before. Every worker calls `prepare` once and keeps its own copy of the
    task over all its jobs. Task, payloads and what the task returns go through pickle.
    """
    workers = _Workers[P](pickle.dumps((task, prepare)), limits)
    done: deque[WorkerResult[P]] = deque()
    try:
        workers.start()
        while True:
            # Before anybody looks at a result the workers have work again.
            if limits.n_jobs > 1 or not done:
                workers.feed(payloads)
            if done:
                yield done.popleft()
            elif not workers.busy:
                break
            done.extend(workers.collect(0.0 if done else _POLL_SECONDS))
    except BaseException:
        workers.interrupt()
        raise
    else:
        workers.dismiss()
    finally:
        workers.kill()


class _Workers(Generic[P]):
    """All workers of one call, by number, and the watchdog that outlives this process."""

    def __init__(self, call: bytes, limits: WorkerLimits) -> None:
        self._call, self._limits = call, limits
        self._workers: dict[int, Worker[P]] = {}
        self._watchdog: Watchdog | None = None

    @property
    def busy(self) -> dict[int, Worker[P]]:
        return {n: worker for n, worker in self._workers.items() if worker.job is not None}

    def start(self) -> None:
        """Start all workers; they import what they need while payloads are made."""
        # multiprocessing waits at exit for processes that nobody ended.
        atexit.register(self.kill)
        if os.name == "posix":
            with sigint_held():
                self._watchdog = Watchdog()
        for number in range(self._limits.n_jobs):
            self._start(number)

    def _start(self, number: int) -> Worker[P]:
        # A Ctrl-C now must not leave a process behind of which nobody knows.
        with sigint_held():
            process, connection = spawn(number, self._limits.n_jobs, self._call)
            worker = self._workers[number] = Worker[P](process, connection)
        self._tell_watchdog()
        # One that has died already is found out when its job is looked at.
        with suppress(OSError):
            connection.send_bytes(self._call)
        return worker

    def _tell_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.watch([worker.pid for worker in self._workers.values()])

    def feed(self, payloads: Iterator[P]) -> None:
        """Give every free worker a job, as long as there are any."""
        for number in range(self._limits.n_jobs):
            if number in self.busy:
                continue
            try:
                payload = next(payloads)
            except StopIteration:
                return
            worker = self._workers.get(number)
            if worker is not None and worker.process.exitcode is not None:
                self._remove(number)
                worker = None
            (worker or self._start(number)).take(payload)

    def collect(self, seconds: float) -> list[WorkerResult[P]]:
        """Return how those jobs ended that did so within some seconds, maybe none."""
        busy = self.busy
        _listen(busy.values(), seconds)
        results = []
        for number, worker in busy.items():
            if (result := worker.look(self._limits)) is not None:
                results.append(result)
                if worker.spent:
                    self._remove(number)
        return results

    def interrupt(self) -> None:
        """Pass a Ctrl-C on, let running jobs end as long as grace is given, then idle workers."""
        running = [worker for worker in _running(self.busy.values()) if worker.interrupt()]
        end = time.monotonic() + self._limits.grace_seconds
        while running and (left := end - time.monotonic()) > 0:
            _listen(running, min(left, _POLL_SECONDS))
            running = _running(running)
        self.dismiss()

    def dismiss(self) -> None:
        """Let idle workers end by themselves."""
        idle = [worker for worker in self._workers.values() if worker.dismiss()]
        end = time.monotonic() + _END_SECONDS
        for worker in idle:
            wait([worker.process.sentinel], max(0.0, end - time.monotonic()))

    def kill(self) -> None:
        """Kill whoever is left."""
        with interrupt.deferred():
            for worker in self._workers.values():
                worker.kill()
            self._workers.clear()
            self._tell_watchdog()
            if self._watchdog is not None:
                self._watchdog.close()
                self._watchdog = None
            atexit.unregister(self.kill)

    def _remove(self, number: int) -> None:
        with interrupt.deferred():
            self._workers.pop(number).kill()
            self._tell_watchdog()


def _listen(workers: Iterable[Worker[P]], seconds: float) -> None:
    """Wait until one of them says something or dies, at most some seconds."""
    if found := [one for worker in workers for one in worker.waitable]:
        wait(found, seconds)


def _running(workers: Iterable[Worker[P]]) -> list[Worker[P]]:
    """Return those whose jobs have not ended; nobody is held to limits any more."""
    return [worker for worker in workers if worker.look(WorkerLimits()) is None]
