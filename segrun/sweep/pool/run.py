"""The loop that gives payloads to workers and yields how the jobs ended."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from segrun.sweep.pool.crew import POLL_SECONDS, Crew
from segrun.sweep.pool.limits import Limits
from segrun.sweep.pool.result import P, Result


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
    crew = Crew[P](pickle.dumps((task, prepare)), limits)
    done: deque[Result[P]] = deque()
    try:
        crew.start()
        while True:
            # Before anybody looks at a result the workers have work again.
            if limits.n_jobs > 1 or not done:
                crew.feed(payloads)
            if done:
                yield done.popleft()
            elif not crew.busy:
                break
            done.extend(crew.collect(0.0 if done else POLL_SECONDS))
    except BaseException:
        crew.interrupt()
        raise
    else:
        crew.dismiss()
    finally:
        crew.kill()
