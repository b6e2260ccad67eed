"""A sweep of all combinations: every job frozen first, then run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from segrun.errors import ClaimError
from segrun.rundir.claim import MULTIRUN, SWEEP
from segrun.runner.keys import libraries
from segrun.sweep.composer import Composer, plain
from segrun.sweep.conduct import Conductor, tell
from segrun.sweep.directory import SweepDirectory, SweepHeader
from segrun.sweep.freeze import Freezer, combinations
from segrun.sweep.history import take_over
from segrun.sweep.job import Job
from segrun.sweep.launchers import make


def sweep(config: DictConfig, context: Any, task: Any, arguments: Sequence[str]) -> None:
    """Run a job per combination of the arguments' values.

    `config` is the sweep's own, with the ``hydra`` node; the ``session`` of segrun's `task` is told
    how the sweep ended.
    """
    composer = Composer(context.config_loader, config)
    freezer = Freezer(composer)
    overrides = combinations(composer, arguments)
    if task.session.planning is not None:
        from segrun.sweep.plan import page

        where = Path(str(config.hydra.sweep.dir))
        estimate = task.session.planning.estimate
        print(page(freezer.jobs(overrides), where, estimate=estimate), end="")  # noqa: T201
        return
    with begun(config, "grid", len(overrides)) as (folder, conductor):
        task.session.conductor = conductor

        def frozen() -> Iterator[Job]:
            # In here, because the first worker starts meanwhile.
            jobs = freezer.jobs(overrides)
            conductor.jobs.update({job.number: job for job in jobs})
            folder.begin(conductor.header, jobs, OmegaConf.to_yaml(config))
            taken = take_over(jobs, folder.path) if config.sweep.reuse else {}
            for number, run in taken.items():
                tell(f"#{number} {jobs[number].folder}: the same as {run}, taken over")
            yield from (job for job in jobs if job.number not in taken)

        conductor.run_all(frozen())


def run_again(jobs: Sequence[Job], config: DictConfig) -> tuple[Path, int]:
    """Run jobs that are known already in a fresh sweep directory; return it and the exit code."""
    with begun(config, "grid", len(jobs)) as (folder, conductor):
        placed = [_placed(job, folder.path) for job in jobs]
        conductor.jobs.update({job.number: job for job in placed})
        folder.begin(conductor.header, placed, OmegaConf.to_yaml(config))
        return folder.path, conductor.closed_after(lambda: conductor.run_all(placed))


def _placed(job: Job, directory: Path) -> Job:
    """Return a job whose log and records go to this directory, not to that of then."""
    hydra = {
        "hydra.job.num": job.number,
        "hydra.job.id": str(job.number),
        "hydra.overrides.task": list(job.overrides),
        "hydra.runtime.output_dir": str(directory / job.folder),
    }
    return replace(job, hydra=hydra)


@contextmanager
def begun(
    config: DictConfig, kind: str, n_jobs: int | None, study: Mapping[str, Any] | None = None
) -> Iterator[tuple[SweepDirectory, Conductor]]:
    """Claim the directory of a new sweep; one of which every job failed is free."""
    folder = SweepDirectory(Path(str(config.hydra.sweep.dir)))
    try:
        folder.clear_failed()
        if (folder.path / SWEEP).exists() or (folder.path / MULTIRUN).exists():
            raise ClaimError(
                f"{folder.path} holds a sweep already. Choose another directory with "
                "hydra.sweep.dir=DIR, or go on with it: segrun resume "
                f"{shlex.quote(str(folder.path))}"
            )
        header = SweepHeader(
            kind=kind,
            command=sys.argv,
            hydra=plain(config.hydra),
            launcher=plain(config.hydra.launcher, resolve=True),
            keep_going=bool(config.sweep.keep_going),
            versions=libraries(""),
            n_jobs=n_jobs,
            study=study or {},
        )
        yield folder, Conductor(folder.path, header, make(header.launcher, folder.path))
    finally:
        folder.close()
