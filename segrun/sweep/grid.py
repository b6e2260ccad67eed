"""A sweep of all combinations: every job frozen first, then run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from segrun.errors import ClaimError, StoreError
from segrun.rundir.claim import INGESTED, MULTIRUN, SWEEP
from segrun.runner.keys import libraries
from segrun.sweep.composer import Composer
from segrun.sweep.conduct import Conductor, tell
from segrun.sweep.directory import Header, SweepDirectory
from segrun.sweep.freeze import Freezer, combinations
from segrun.sweep.history import History
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
                jobs = take_over(jobs, folder.path)
            yield from jobs

        for _ in conductor.run(frozen()):
            pass
    finally:
        folder.close()


def take_over(jobs: Sequence[Job], sweep: Path) -> list[Job]:
    """Take over finished runs with the same content key, and return the other jobs.

    Parameters
    ----------
    jobs : sequence of Job
        All jobs.
    sweep : Path
        The sweep directory; the runs are those below the folder that it is in.
    """
    history = History(sweep.parent)
    others = []
    for job in jobs:
        found = history.cached(job)
        if found is None:
            others.append(job)
        else:
            # Finished files are never written to again, so both may be the same on disk.
            _copy(found, sweep / job.folder)
            tell(f"#{job.number} {job.folder}: the same as {found}, taken over")
    return others


def _copy(run: Path, to: Path) -> None:
    """Copy a run as a whole: a kill meanwhile leaves nothing that looks like one."""
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        # What was ingested later is not the run's: the state of both would be one file.
        later = shutil.ignore_patterns(INGESTED)
        shutil.copytree(run, temporary, ignore=later, copy_function=_link)
        temporary.rename(to)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise StoreError(f"cannot copy {run} to {to}: {error}") from error


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another disk, or a file system without links.
        shutil.copy2(source, target)


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
