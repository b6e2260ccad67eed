"""joblib's worker processes."""

from __future__ import annotations

from collections.abc import Iterator

import joblib

from segrun.errors import ConfigError
from segrun.sweep.job import Ended, Job
from segrun.sweep.perform import Performer

#: Of joblib's backends, those that run processes: fits in threads of one would overlap.
_BACKENDS = ("loky", "multiprocessing")


class Joblib:
    """Runs jobs by joblib, which limits the threads of each worker itself."""

    one_machine = True

    def __init__(self, n_jobs: int, backend: str) -> None:
        if backend not in _BACKENDS:
            raise ConfigError(
                f"hydra.launcher.backend={backend} must be one of {', '.join(_BACKENDS)}"
            )
        if n_jobs == 0:
            raise ConfigError("hydra.launcher.n_jobs must be at least 1, or -1. Got 0 instead")
        self.n_parallel = joblib.effective_n_jobs(n_jobs)
        self.backend = backend

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended; a worker that is killed ends the jobs that were begun."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        while True:
            running: dict[int, Job] = {}
            # Not more jobs than workers are taken: an optimiser has to learn from each.
            parallel = joblib.Parallel(
                self.n_parallel,
                backend=self.backend,
                return_as="generator_unordered",
                pre_dispatch=self.n_parallel,
                batch_size=1,
            )
            try:
                for ended in parallel(
                    joblib.delayed(perform)(running.setdefault(job.number, job)) for job in jobs
                ):
                    del running[ended.job.number]
                    yield ended
                return
            except TerminatedWorkerError:
                # joblib does not say which of its workers: all of them go.
                for job in running.values():
                    yield Ended(job, "crashed", "a worker of joblib's was killed", exit_code=1)
