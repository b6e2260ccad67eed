"""Isolated worker processes with a ceiling of memory and a limit of time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from segrun.errors import ConfigError
from segrun.sweep.job import Ended, Job
from segrun.sweep.launchers import at_least_one
from segrun.sweep.perform import Performer
from segrun.sweep.pool import WorkerLimits, WorkerResult, run_isolated

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20,
          "gib": 2**30}  # fmt: skip

#: Of the machine's memory, for all workers together: the rest is the system's and the parent's.
_AUTO_SHARE = 0.9


class Process:
    """Runs jobs in worker processes: what kills one costs its job alone."""

    one_machine = True

    def __init__(self, n_jobs: int, memory_limit: Any, time_limit_seconds: float | None) -> None:
        self.n_parallel = at_least_one("n_jobs", n_jobs)
        if time_limit_seconds is not None and not time_limit_seconds > 0:
            raise ConfigError(
                "hydra.launcher.time_limit_seconds must be above 0, or null. "
                f"Got {time_limit_seconds}"
            )
        self.limits = WorkerLimits(n_jobs, _in_bytes(memory_limit, n_jobs), time_limit_seconds)

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended."""
        for result in run_isolated(jobs, perform, self.limits, prepare=warm):
            yield _ended(result)


def _in_bytes(limit: Any, n_jobs: int) -> int | None:
    """Return a ceiling of memory in bytes, None for none."""
    if limit is None:
        return None
    if limit == "auto":
        import psutil

        return int(_AUTO_SHARE * psutil.virtual_memory().total / n_jobs)
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-z]*)", str(limit).strip().lower())
    if not found or found[2] not in _UNITS or not float(found[1]):
        raise ConfigError(
            f"hydra.launcher.memory_limit={limit} is no amount of memory: write bytes, a text "
            "such as 500MB or 4GB, auto or null"
        )
    return int(float(found[1]) * _UNITS[found[2]])


def warm() -> None:
    """Import what every job needs, once per worker, while the sweep is being composed."""
    import segrun.jobs  # noqa: F401


def _ended(result: WorkerResult[Job]) -> Ended:
    if result.status == "returned":
        ended: Ended = result.value
        return replace(
            ended, wall_seconds=result.wall_seconds, peak_rss_bytes=result.peak_rss_bytes
        )
    status = "failed" if result.status == "raised" else result.status
    return Ended(
        result.payload, status, result.reason, result.wall_seconds, result.peak_rss_bytes, 1
    )
