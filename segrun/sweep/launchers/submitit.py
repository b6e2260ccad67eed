"""Jobs of a batch system such as SLURM, by submitit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from segrun.errors import ConfigError
from segrun.rundir.environment import usable_cores
from segrun.sweep.job import Ended, Job
from segrun.sweep.launchers import library
from segrun.sweep.perform import Performer

_POLL_SECONDS = 0.5
#: States of SLURM that have a status of their own.
_STATUSES = {"OUT_OF_MEMORY": "oom", "TIMEOUT": "timeout", "CANCELLED": "interrupted"}


class Submitit:
    """Submits jobs and waits for them; the sweep directory must be on a shared file system."""

    one_machine = False

    def __init__(
        self, sweep: Path, cluster: str, parameters: Mapping[str, Any], max_jobs: int
    ) -> None:
        submitit = library("submitit", "submitit", "submitit", "slurm")
        try:
            self.executor = submitit.AutoExecutor(folder=sweep / "submitit", cluster=cluster)
            self.executor.update_parameters(**parameters)
        except (ValueError, RuntimeError, NameError, TypeError) as error:
            raise ConfigError(f"hydra/launcher=submitit: {error}") from error
        # A batch system gives every job cores of its own; this machine has those that it has.
        self.max_jobs = min(max_jobs, usable_cores()) if cluster == "local" else max_jobs
        self.n_parallel = self.max_jobs if cluster == "local" else 1

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended."""
        running: dict[Any, Job] = {}
        try:
            while True:
                for job in islice(jobs, self.max_jobs - len(running)):
                    running[self.executor.submit(perform, job)] = job
                if not running:
                    return
                for task in [task for task in running if task.done()]:
                    yield _ended(task, running.pop(task))
                time.sleep(_POLL_SECONDS)
        finally:
            for task in running:
                task.cancel()


def _ended(task: Any, job: Job) -> Ended:
    error = task.exception()
    if error is None:
        found: Ended = task.result()
        return found
    status = _STATUSES.get(str(task.state).split()[0], "crashed")
    reason = str(error).strip().splitlines()[0]
    return Ended(job, status, f"{reason} (state {task.state})", exit_code=1)
