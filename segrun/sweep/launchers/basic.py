"""One job after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator

from segrun.sweep.job import Ended, Job
from segrun.sweep.perform import Performer


class Basic:
    """Runs every job where the sweep is: no start-up, no isolation."""

    one_machine = True
    n_parallel = 1

    def run(self, jobs: Iterator[Job], perform: Performer) -> Iterator[Ended]:
        """Yield how each job ended."""
        for job in jobs:
            yield perform(job)
