"""Starting the process of a worker: its cores, its threads and its connection."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any

from segrun.rundir.environment import usable_cores
from segrun.sweep import threads
from segrun.sweep.pool.worker import serve


def spawn(number: int, n_jobs: int, call: bytes) -> tuple[SpawnProcess, Connection[Any, Any]]:
    """Start a worker with its share of the machine.

    Parameters
    ----------
    number : int
        Which of the workers, from 0.
    n_jobs : int
        Workers side by side.
    call : bytes
        The task that it will be sent.

    Returns
    -------
    process : SpawnProcess
        The worker.
    connection : Connection
        The parent's end of the line to it.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(
        target=serve, args=(there, _cores(number, n_jobs)), name=f"segrun worker {number}"
    )
    with _threads(n_jobs), _without_main(call):
        process.start()
    there.close()
    return process, here


@contextmanager
def _threads(n_jobs: int) -> Iterator[None]:
    """Set what processes that are started now read about threads, unless the user did."""
    names = [name for name in threads.VARIABLES if n_jobs > 1 and name not in os.environ]
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
