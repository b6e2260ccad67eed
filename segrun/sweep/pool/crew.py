"""All workers of one call, by number."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Generic

from segrun import interrupt
from segrun.sweep.pool.guard import Guard
from segrun.sweep.pool.handle import Handle
from segrun.sweep.pool.limits import Limits
from segrun.sweep.pool.result import P, Result
from segrun.sweep.pool.signals import held
from segrun.sweep.pool.spawn import spawn

#: Memory and time of busy workers are looked at this often, in seconds.
POLL_SECONDS = 0.03
#: Idle workers have this long to end by themselves.
_END_SECONDS = 5.0


class Crew(Generic[P]):
    """The workers, and the guard that outlives this process.

    Parameters
    ----------
    call : bytes
        Pickled task and preparation, the same for all.
    limits : Limits
        What workers may use.
    """

    def __init__(self, call: bytes, limits: Limits) -> None:
        self._call, self._limits = call, limits
        self._workers: dict[int, Handle[P]] = {}
        self._guard: Guard | None = None

    @property
    def busy(self) -> list[Handle[P]]:
        """Who has a job."""
        return [worker for worker in self._workers.values() if worker.job is not None]

    def start(self) -> None:
        """Start all workers; they import what they need while payloads are made."""
        # multiprocessing waits at exit for processes that nobody ended.
        atexit.register(self.kill)
        if os.name == "posix":
            with held():
                self._guard = Guard()
        for number in range(self._limits.n_jobs):
            self._start(number)

    def _start(self, number: int) -> Handle[P]:
        # A Ctrl-C now must not leave a process behind of which nobody knows.
        with held():
            process, connection = spawn(number, self._limits.n_jobs, self._call)
            worker = self._workers[number] = Handle[P](process, connection)
        self._tell_guard()
        # One that has died already is found out when its job is looked at.
        with suppress(OSError):
            connection.send_bytes(self._call)
        return worker

    def _tell_guard(self) -> None:
        if self._guard is not None:
            self._guard.watch([worker.pid for worker in self._workers.values()])

    def feed(self, payloads: Iterator[P]) -> None:
        """Give every free worker a job, as long as there are any."""
        for number in range(self._limits.n_jobs):
            worker = self._workers.get(number)
            if worker is not None and worker.job is not None:
                continue
            try:
                payload = next(payloads)
            except StopIteration:
                return
            self._living(number).take(payload)

    def _living(self, number: int) -> Handle[P]:
        worker = self._workers.get(number)
        if worker is not None and worker.process.exitcode is None:
            return worker
        if worker is not None:
            self._bury(number)
        return self._start(number)

    def collect(self, seconds: float) -> list[Result[P]]:
        """Return how those jobs ended that did so within some seconds, maybe none."""
        busy = {number: worker for number, worker in self._workers.items() if worker.job}
        _listen(busy.values(), seconds)
        results = []
        for number, worker in busy.items():
            if (result := worker.look(self._limits)) is not None:
                results.append(result)
                if worker.spent:
                    self._bury(number)
        return results

    def interrupt(self) -> None:
        """Pass a Ctrl-C on, let running jobs end as long as grace is given, then idle workers."""
        running = [worker for worker in _running(self.busy) if worker.interrupt()]
        end = time.monotonic() + self._limits.grace_seconds
        while running and (left := end - time.monotonic()) > 0:
            _listen(running, min(left, POLL_SECONDS))
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
            self._tell_guard()
            if self._guard is not None:
                self._guard.close()
                self._guard = None
            atexit.unregister(self.kill)

    def _bury(self, number: int) -> None:
        with interrupt.deferred():
            self._workers.pop(number).kill()
            self._tell_guard()


def _listen(workers: Iterable[Handle[P]], seconds: float) -> None:
    """Wait until one of them says something or dies, at most some seconds."""
    if found := [one for worker in workers for one in worker.waitable]:
        wait(found, seconds)


def _running(workers: Iterable[Handle[P]]) -> list[Handle[P]]:
    """Return those whose jobs have not ended; nobody is held to limits any more."""
    return [worker for worker in workers if worker.look(Limits()) is None]
