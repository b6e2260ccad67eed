"""A cluster of Dask: on this machine, or on many that share the file system."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from segrun.errors import ConfigError
from segrun.sweep.job import Ended, Job
from segrun.sweep.launchers import at_least_one, library
from segrun.sweep.perform import Performer


class Dask:
    """Runs jobs on a Dask cluster, which gives the job of a dead worker to another.

    Without the address of a scheduler it starts a cluster on this machine.
    """

    one_machine = False

    def __init__(self, address: str | None, n_workers: int) -> None:
        self.distributed = library("distributed", "dask", "dask's distributed", "dask")
        # Every worker that comes and goes is told at INFO.
        logging.getLogger("distributed").setLevel(logging.ERROR)
        self.address, self.n_parallel = address, at_least_one("n_workers", n_workers)

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended; there are as many under way as there are workers."""
        with self._client() as client:
            ended = self.distributed.as_completed(loop=client.loop)
            running: dict[Any, Job] = {}

            def fill() -> None:
                workers = list(client.nthreads())
                # Workers come and go; none at all for a moment must not end the sweep.
                room = max(1, len(workers))
                hosts = Counter(urlsplit(address).hostname for address in workers)
                part = replace(perform, n_parallel=max(hosts.values(), default=1))
                for job in islice(jobs, max(0, room - len(running))):
                    future = client.submit(part, job, pure=False, key=f"{job.key}-{job.number}")
                    running[future] = job
                    ended.add(future)

            fill()
            for future in ended:
                yield _ended(future, running.pop(future))
                fill()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        if self.address is not None:
            try:
                with self.distributed.Client(self.address, timeout=30) as client:
                    yield client
            except OSError as error:
                raise ConfigError(
                    f"hydra.launcher.address={self.address}: no scheduler answers ({error})"
                ) from error
            return
        cluster = self.distributed.LocalCluster(
            n_workers=self.n_parallel,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
        )
        with cluster, self.distributed.Client(cluster) as client:
            yield client


def _ended(future: Any, job: Job) -> Ended:
    if future.status == "finished":
        found: Ended = future.result()
        return found
    error = future.exception()
    status = "crashed" if type(error).__name__ == "KilledWorker" else "failed"
    return Ended(job, status, f"{type(error).__name__}: {error}", exit_code=1)
