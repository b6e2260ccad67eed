"""A sweep of all combinations: every job frozen first, then run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from segrun.errors import ClaimError
from segrun.rundir.claim import MULTIRUN, SWEEP
from segrun.runner.keys import libraries
from segrun.sweep.composer import Composer
from segrun.sweep.conduct import Conductor, tell
from segrun.sweep.directory import Header, SweepDirectory
from segrun.sweep.freeze import Freezer, combinations
from segrun.sweep.history import take_over
from segrun.sweep.job import Job
from segrun.sweep.launchers import make


def sweep(config: DictConfig, context: Any, task: Any, arguments: Sequence[str]) -> None:
    """Run a job per combination of the arguments' values.

    Parameters
    ----------
    config : DictConfig
        The sweep's own configuration, with the ``hydra`` node.
    context : HydraContext
        Has Hydra's config loader.
    task : callable
        segrun's task; its ``session`` is told how the sweep ended.
    arguments : sequence of str
        Overrides, with several values where something is swept.
    """
    composer = Composer(context.config_loader, config)
    freezer = Freezer(composer)
    wanted = combinations(composer, arguments)
    if task.session.planning is not None:
        from segrun.sweep.plan import page

        where = Path(str(config.hydra.sweep.dir))
        estimate = task.session.planning.estimate
        print(page(freezer.jobs(wanted), where, estimate=estimate), end="")  # noqa: T201
        return
    folder = begin(config)
    try:
        header = header_of(config, "grid", len(wanted))
        conductor = Conductor(folder.path, header, make(header.launcher, folder.path))
        task.session.conductor = conductor

        def frozen() -> Iterator[Job]:
            # In here, because the first worker starts meanwhile.
            jobs = freezer.jobs(wanted)
            conductor.jobs.update({job.number: job for job in jobs})
            folder.begin(header, jobs, OmegaConf.to_yaml(config))
            if config.sweep.reuse:
                found = take_over(jobs, folder.path)
                for number, run in found.items():
                    tell(f"#{number} {jobs[number].folder}: the same as {run}, taken over")
                jobs = [job for job in jobs if job.number not in found]
            yield from jobs

        for _ in conductor.run(frozen()):
            pass
    finally:
        folder.close()


def begin(config: DictConfig) -> SweepDirectory:
    """Claim the sweep directory of a new sweep; one of which every job failed is free.

    Raises
    ------
    ClaimError
        If there is a sweep in it, or it cannot be written to.
    """
    folder = SweepDirectory(Path(str(config.hydra.sweep.dir)))
    folder.clear_failed()
    if (folder.path / SWEEP).exists() or (folder.path / MULTIRUN).exists():
        folder.close()
        raise ClaimError(
            f"{folder.path} holds a sweep already. Choose another directory with "
            f"hydra.sweep.dir=DIR, or go on with it: segrun resume {shlex.quote(str(folder.path))}"
        )
    return folder


def header_of(
    config: DictConfig, kind: str, n_jobs: int | None, study: Mapping[str, Any] | None = None
) -> Header:
    """Return what all jobs of a new sweep have in common."""
    hydra = OmegaConf.to_container(config.hydra, resolve=False, enum_to_str=True)
    launcher = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    assert isinstance(hydra, dict)
    assert isinstance(launcher, dict)
    return Header(
        kind=kind,
        command=sys.argv,
        hydra={str(key): value for key, value in hydra.items()},
        launcher={str(key): value for key, value in launcher.items()},
        keep_going=bool(config.sweep.keep_going),
        versions=libraries(""),
        n_jobs=n_jobs,
        study=study or {},
    )
