"""Worker processes that live long, one job at a time each, with a ceiling of memory and of time."""

from __future__ import annotations

import atexit
import faulthandler
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from segrun import interrupt, timings
from segrun.environment import usable_cores

P = TypeVar("P")

#: Memory and time of busy workers are looked at this often, in seconds.
_POLL_SECONDS = 0.03
#: Looking for children of a worker reads all processes of the machine: this share of the time.
_SHARE_OF_LOOKING = 0.02
#: Imports are not the job, but they must end as well where jobs have a time limit.
_START_SECONDS = 300.0
#: An idle worker has this long to end by itself, and a killed one to be gone.
_END_SECONDS = 5.0
#: This much fits into a pipe of which nobody reads.
_PIPE_BYTES = 16_384
#: The worst that the kernel knows is 1000; this process has 0.
_OOM_SCORE = 500

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)  # fmt: skip

#: Reads the workers' process groups, the last line counts, and kills them at the end of its input.
_GUARD = """
import os, signal, sys
groups = []
for line in sys.stdin:
    groups = line.split()
for group in groups:
    try:
        os.killpg(int(group), signal.SIGKILL)
    except OSError:
        pass
"""


@dataclass(frozen=True)
class Limits:
    """What workers may use.

    Attributes
    ----------
    n_jobs : int, default=1
        Worker processes side by side.
    max_rss_bytes : int, optional
        Ceiling of the resident memory of one worker with its children.
    time_limit_seconds : float, optional
        Wall seconds of one job.
    grace_seconds : float, default=10.0
        How long a worker may take to stop after a Ctrl-C before it is killed.
    """

    n_jobs: int = 1
    max_rss_bytes: int | None = None
    time_limit_seconds: float | None = None
    grace_seconds: float = 10.0


@dataclass(frozen=True)
class Result(Generic[P]):
    """How one job ended.

    Attributes
    ----------
    payload : object
        What the job was.
    status : {"returned", "raised", "oom", "crashed", "timeout", "interrupted"}
        How it ended.
    value : object
        What the task returned; None unless it did.
    reason : str
        What happened, with figures; empty if the task returned.
    wall_seconds : float
        What it took, without the start of a worker.
    peak_rss_bytes : int or None
        Highest resident memory seen of the worker with its children.
    pid : int
        The worker.
    """

    payload: P
    status: str
    value: Any
    reason: str
    wall_seconds: float
    peak_rss_bytes: int | None
    pid: int


def run_isolated(
    payloads: Iterator[P],
    task: Callable[[P], Any],
    limits: Limits,
    *,
    prepare: Callable[[], None] | None = None,
) -> Iterator[Result[P]]:
    """Run a task on every payload in worker processes and yield how each job ended.

    A job that is killed, runs out of memory or crashes takes its worker with it and nothing
    else: the next payload gets a new one. Limits are watched while the caller waits for a
    result. All calls of ``next`` belong into one thread: workers die with the one that started
    them.

    Parameters
    ----------
    payloads : iterator
        Taken one by one, as workers are free; with one worker not before the caller is back
        from the result before.
    task : callable
        What to do with a payload. Every worker keeps its own copy over all its jobs. It, the
        payloads and what it returns go through pickle.
    limits : Limits
        What workers may use.
    prepare : callable, optional
        Called once at the start of every worker.

    Yields
    ------
    Result
        In the order in which jobs end.
    """
    pool = _Pool[P](pickle.dumps((task, prepare)), limits)
    done: deque[Result[P]] = deque()
    try:
        pool.start()
        while True:
            # Before anybody looks at a result the workers have work again.
            if limits.n_jobs > 1 or not done:
                pool.feed(payloads)
            if done:
                yield done.popleft()
            elif not pool.busy:
                return
            done.extend(pool.collect(0.0 if done else _POLL_SECONDS))
    except BaseException:
        pool.interrupt()
        raise
    finally:
        pool.end()


class _Pool(Generic[P]):
    """The workers, by number."""

    def __init__(self, call: bytes, limits: Limits) -> None:
        self._call, self._limits = call, limits
        self._workers: dict[int, _Worker[P]] = {}
        self._guard: _Guard | None = None
        self._exhausted = False

    @property
    def busy(self) -> list[_Worker[P]]:
        return [worker for worker in self._workers.values() if worker.job is not None]

    def start(self) -> None:
        # multiprocessing waits at exit for processes that nobody ended.
        atexit.register(self.kill)
        if os.name == "posix":
            with interrupt.deferred(), _signals_later():
                self._guard = _Guard()
        for number in range(self._limits.n_jobs):
            self._start(number)

    def _start(self, number: int) -> _Worker[P]:
        cores = _cores(number, self._limits.n_jobs)
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(
            target=_serve, args=(there, cores), name=f"segrun worker {number}"
        )
        # A Ctrl-C now must not leave a process behind of which nobody knows.
        with (
            interrupt.deferred(),
            _signals_later(),
            _threads(self._limits.n_jobs),
            _without_main(self._call),
        ):
            process.start()
            worker = self._workers[number] = _Worker[P](process, here)
        there.close()
        self._tell_guard()
        # One that has died already is found out when its job is looked at.
        with suppress(OSError):
            here.send_bytes(self._call)
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
            if self._exhausted:
                return
            try:
                payload = next(payloads)
            except StopIteration:
                self._exhausted = True
                return
            self._living(number).take(payload)

    def _living(self, number: int) -> _Worker[P]:
        worker = self._workers.get(number)
        if worker is not None and worker.process.exitcode is None:
            return worker
        self._bury(number)
        return self._start(number)

    def collect(self, seconds: float) -> list[Result[P]]:
        """Return how those jobs ended that did so within some seconds, maybe none."""
        busy = {number: worker for number, worker in self._workers.items() if worker.job}
        if not busy:
            return []
        wait([one for worker in busy.values() for one in worker.waitable], seconds)
        results = []
        for number, worker in busy.items():
            if (result := worker.look(self._limits)) is not None:
                results.append(result)
                if worker.spent:
                    self._bury(number)
        return results

    def interrupt(self) -> None:
        """Pass a Ctrl-C on to running jobs and let them end, as long as grace is given."""
        try:
            running = [worker for worker in self.busy if worker.look(Limits()) is None]
            running = [worker for worker in running if worker.interrupt()]
            end = time.monotonic() + self._limits.grace_seconds
            while running and (left := end - time.monotonic()) > 0:
                found = [one for worker in running for one in worker.waitable]
                wait(found, min(left, _POLL_SECONDS))
                running = [worker for worker in running if worker.look(Limits()) is None]
        except BaseException:
            # The second Ctrl-C.
            self.kill()
            raise

    def end(self) -> None:
        """Let idle workers end by themselves, kill what does not."""
        try:
            idle = [worker for worker in self._workers.values() if worker.dismiss()]
            end = time.monotonic() + _END_SECONDS
            for worker in idle:
                wait([worker.process.sentinel], max(0.0, end - time.monotonic()))
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill everything."""
        with interrupt.deferred():
            for number in list(self._workers):
                self._bury(number)
            if self._guard is not None:
                self._guard.close()
                self._guard = None
            atexit.unregister(self.kill)

    def _bury(self, number: int) -> None:
        worker = self._workers.get(number)
        if worker is not None:
            worker.kill()
            del self._workers[number]
            self._tell_guard()


@dataclass
class _Job(Generic[P]):
    payload: P
    taken: float
    n_oom_kills: int
    sent: bool = False
    #: As far as this process knows; the worker measures it itself.
    began: float | None = None
    peak: int = 0


class _Worker(Generic[P]):
    """A worker as this process sees it: at most one job."""

    def __init__(self, process: Any, connection: Connection[Any, Any]) -> None:
        self.process, self.pid = process, int(process.pid)
        self._connection = connection
        self._family = _Family(self.pid)
        self._ready = False
        self.job: _Job[P] | None = None
        #: Whether nobody will serve the next job.
        self.spent = False
        self._buried = False

    @property
    def waitable(self) -> list[Any]:
        return [self._connection, self.process.sentinel]

    def take(self, payload: P) -> None:
        self.job = job = _Job(payload, time.perf_counter(), _oom_kills())
        content = pickle.dumps(payload)
        # A new worker then goes on by itself; but it does not listen while it imports.
        if self._ready or len(content) <= _PIPE_BYTES:
            self._send(job, content)
        if self._ready:
            job.began = job.taken

    def _send(self, job: _Job[P], content: bytes) -> None:
        job.sent = True
        # Death is found out by `look`.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send_bytes(content)

    def look(self, limits: Limits) -> Result[P] | None:
        """Return how the job ended, None while it runs."""
        # In this order: what it said before it died counts.
        dead = self.process.exitcode is not None
        try:
            if self._connection.poll():
                return self._hear(pickle.loads(self._connection.recv_bytes()))  # noqa: S301 - ours
        except (EOFError, OSError):
            self.process.join(_END_SECONDS)
            dead = True
        return self._fallen() if dead else self._beyond(limits)

    def _hear(self, message: Any) -> Result[P] | None:
        assert self.job is not None
        if self._ready:
            return self._ended(_Reply(*message))
        if message:
            # The next one may be luckier: it could have been a lack of memory.
            self.spent = True
            return self._result("raised", f"the worker could not start: {message}")
        self._ready = True
        if not self.job.sent:
            self._send(self.job, pickle.dumps(self.job.payload))
        self.job.began = time.perf_counter()
        return None

    def _ended(self, reply: _Reply) -> Result[P]:
        # It remembers the Ctrl-C and ends.
        self.spent = reply.status == "interrupted"
        try:
            value = pickle.loads(reply.value) if reply.value else None  # noqa: S301 - ours
        except Exception as error:  # noqa: BLE001 - it runs code of the value's class
            reason = f"the value cannot be read: {_text(error)}"
            return self._result("raised", reason, reply=reply)
        return self._result(reply.status, reply.reason, value, reply)

    def _fallen(self) -> Result[P]:
        assert self.job is not None
        self.spent = True
        code = self.process.exitcode
        status, reason = "crashed", _death(code)
        if code == -getattr(signal, "SIGKILL", 9) and _oom_kills() > self.job.n_oom_kills:
            status, reason = "oom", f"{reason} by the kernel, which had no memory left"
            if self.job.peak:
                reason += f"; resident memory was {_size(self.job.peak)}"
        if self.job.began is None:
            reason = f"the worker could not start: {reason}"
        return self._result(status, reason)

    def _beyond(self, limits: Limits) -> Result[P] | None:
        assert self.job is not None
        job, ceiling = self.job, limits.max_rss_bytes
        rss = self._family.rss(ceiling)
        job.peak = max(job.peak, rss)
        if ceiling is not None and rss > ceiling:
            reason = f"resident memory {_size(rss)} passed the ceiling of {_size(ceiling)}"
            return self._killed("oom", reason)
        limit = limits.time_limit_seconds
        if limit is not None and job.began is not None and _since(job.began) > limit:
            return self._killed("timeout", f"not ended after {limit:g} s")
        if limit is not None and job.began is None and _since(job.taken) > _START_SECONDS:
            return self._killed("timeout", f"no worker after {_START_SECONDS:g} s")
        return None

    def _killed(self, status: str, reason: str) -> Result[P]:
        self.kill()
        return self._result(status, reason)

    def _result(
        self, status: str, reason: str, value: Any = None, reply: _Reply | None = None
    ) -> Result[P]:
        assert self.job is not None
        job, self.job = self.job, None
        wall = 0.0 if job.began is None else _since(job.began)
        peak = max(job.peak, reply.peak or 0) if reply else job.peak
        wall = reply.wall_seconds if reply else wall
        return Result(job.payload, status, value, reason, wall, peak or None, self.pid)

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
        if self._buried:
            return
        self.spent = self._buried = True
        self._family.kill()
        self.process.join(_END_SECONDS)
        self._connection.close()
        # Not even a kill ends a process that waits for a broken disk.
        with suppress(ValueError):
            self.process.close()


class _Family:
    """A process and its descendants."""

    def __init__(self, pid: int) -> None:
        import psutil

        self._gone = psutil.Error
        self._head = psutil.Process(pid)
        self._descendants: list[Any] = []
        self._next_look = 0.0

    def rss(self, ceiling: int | None) -> int:
        """Return the resident memory; pages in common count once if that saves the worker."""
        if time.monotonic() >= self._next_look:
            self._find()
        sizes = [self._size(process, "rss") for process in (self._head, *self._descendants)]
        if ceiling is None or sum(sizes) <= ceiling or len(sizes) == 1:
            return sum(sizes)
        return sum(self._size(process, "pss") for process in (self._head, *self._descendants))

    def _size(self, process: Any, what: str) -> int:
        try:
            if what == "pss":
                full = process.memory_full_info()
                return int(getattr(full, "pss", full.rss))
            return int(process.memory_info().rss)
        except self._gone:
            return 0

    def _find(self) -> None:
        started = time.monotonic()
        with suppress(self._gone):
            self._descendants = self._head.children(recursive=True)
        now = time.monotonic()
        self._next_look = now + (now - started) / _SHARE_OF_LOOKING

    def kill(self) -> None:
        # The old ones as well: whoever outlived the worker is no descendant of it any more.
        before = self._descendants
        self._find()
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self._head.pid, signal.SIGKILL)
        for process in {self._head, *before, *self._descendants}:
            with suppress(self._gone):
                process.kill()


class _Guard:
    """A process that kills workers with their children when this one is gone, however it went.

    Workers die by themselves then, but the kernel does it before they could take their children
    along.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [sys.executable, "-I", "-S", "-c", _GUARD],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip

    def watch(self, groups: Sequence[int]) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            print(*groups, file=self._process.stdin, flush=True)

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()


@contextmanager
def _signals_later() -> Iterator[None]:
    """Let a process be started deaf to Ctrl-C: it listens as soon as it knows what to do then."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Started by the first process otherwise, and that unblocks the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _threads(n_jobs: int) -> Iterator[None]:
    """Set what processes that are started now read about threads, unless the user did."""
    names = [name for name in _THREAD_VARIABLES if n_jobs > 1 and name not in os.environ]
    os.environ.update(dict.fromkeys(names, str(_share(n_jobs))))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)


@contextmanager
def _without_main(call: bytes) -> Iterator[None]:
    """Keep multiprocessing from importing the main script in workers unless they need it.

    One without a guard would run its command line in every worker.
    """
    main = sys.modules["__main__"]
    if b"__main__" not in call:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _share(n_jobs: int) -> int:
    return max(1, usable_cores() // n_jobs)


def _cores(number: int, n_jobs: int) -> list[int] | None:
    """Return the cores of one worker: oneTBB obeys nothing else."""
    if n_jobs == 1 or not hasattr(os, "sched_getaffinity"):
        return None
    usable, share = sorted(os.sched_getaffinity(0)), _share(n_jobs)
    return [usable[(number * share + i) % len(usable)] for i in range(share)]


def _oom_kills() -> int:
    """Return how many processes the kernel has killed for lack of memory, as far as it tells."""
    total = 0
    for path in (Path("/proc/vmstat"), *_memory_events()):
        with suppress(OSError, ValueError):
            lines = (line.split() for line in path.read_text().splitlines())
            total += sum(int(line[1]) for line in lines if line[0] == "oom_kill")
    return total


def _memory_events() -> list[Path]:
    """Return where the control groups of this process count."""
    found = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                found.append(Path(f"/sys/fs/cgroup{path}/memory.events"))
            elif controllers == "memory":
                found.append(Path(f"/sys/fs/cgroup/memory{path}/memory.oom_control"))
    return found


def _death(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed by signal {-code}"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _since(moment: float) -> float:
    return time.perf_counter() - moment


# From here on: the worker.


@dataclass(frozen=True)
class _Reply:
    status: str
    value: bytes
    reason: str
    wall_seconds: float
    peak: int | None

    def message(self) -> bytes:
        return pickle.dumps(tuple(vars(self).values()))


def _serve(connection: Connection[Any, Any], cores: Sequence[int] | None) -> None:
    _die_with_parent()
    _leave_terminal()
    if sys.stderr is not None:
        faulthandler.enable()
    if cores is not None:
        os.sched_setaffinity(0, cores)
    _prefer_to_be_killed()
    # A Ctrl-C that comes too late for a job, or the end of the parent.
    with connection, suppress(KeyboardInterrupt, EOFError, OSError):
        _work(connection)


def _work(connection: Connection[Any, Any]) -> None:
    try:
        task, prepare = pickle.loads(connection.recv_bytes())  # noqa: S301 - from the parent
        if prepare is not None:
            prepare()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an import raises
        connection.send(_text(error))
        return
    connection.send("")
    while not interrupt.asked():
        reply = _perform(task, connection.recv_bytes())
        with interrupt.deferred():
            connection.send_bytes(reply.message())


def _perform(task: Callable[[Any], Any], payload: bytes) -> _Reply:
    timings._reset_peak()
    started = time.perf_counter()
    status, value, reason = "returned", b"", ""
    try:
        value = pickle.dumps(task(pickle.loads(payload)))  # noqa: S301 - from the parent
        interrupt.check()
    except KeyboardInterrupt:
        status, value, reason = "interrupted", b"", "stopped by Ctrl-C"
    except MemoryError as error:
        status, reason = "oom", _text(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit, for one, ends the job alone
        status, reason = "raised", _text(error)
    return _Reply(status, value, reason, _since(started), timings._peak_rss_bytes())


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            # PR_SET_PDEATHSIG, prctl(2): also while the thread below cannot run.
            ctypes.CDLL(None).prctl(1, ctypes.c_ulong(signal.SIGKILL))
    # It may have died before.
    if os.name == "posix" and os.getppid() != parent.pid:
        os._exit(1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _leave_terminal() -> None:
    """Hear of a Ctrl-C from the parent only, and leave stdout to its results."""
    if hasattr(os, "setsid"):
        with suppress(OSError):
            os.setsid()
    # One from the terminal may wait since the start: it is the parent's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # The parent's way of asking, also where it was started with Ctrl-C ignored (nohup).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt.listen()
    with suppress(OSError):
        os.dup2(2, 1)


def _prefer_to_be_killed() -> None:
    """Make the kernel, when it runs out of memory, choose a worker and not the parent."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError, ValueError):
        if int(path.read_text()) < _OOM_SCORE:
            path.write_text(str(_OOM_SCORE))
