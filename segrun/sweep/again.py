"""Jobs that are known already, run once more in a sweep directory of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from segrun.sweep.conduct import Conductor, tell
from segrun.sweep.grid import begin, header_of
from segrun.sweep.job import Job
from segrun.sweep.launchers import make


def run_again(jobs: Sequence[Job], config: DictConfig) -> tuple[Path, int]:
    """Run the jobs in a fresh sweep directory.

    Parameters
    ----------
    jobs : sequence of Job
        All resolved.
    config : DictConfig
        The sweep's configuration, with the ``hydra`` node: directory and launcher.

    Returns
    -------
    directory : Path
        The sweep directory.
    code : int
        Exit code: 0 if all jobs are done.
    """
    folder = begin(config)
    try:
        header = header_of(config, "grid", len(jobs))
        conductor = Conductor(folder.path, header, make(header.launcher, folder.path))
        placed = [_placed(job, folder.path) for job in jobs]
        conductor.jobs.update({job.number: job for job in placed})
        folder.begin(header, placed, OmegaConf.to_yaml(config))
        try:
            for _ in conductor.run(placed):
                pass
        except KeyboardInterrupt:
            tell("interrupted: what was finished stays")
            return folder.path, max(130, conductor.close())
        return folder.path, conductor.close()
    finally:
        folder.close()


def _placed(job: Job, directory: Path) -> Job:
    """Return a job whose log and records go to this directory, not to that of then."""
    hydra = {
        "hydra.job.num": job.number,
        "hydra.job.id": str(job.number),
        "hydra.overrides.task": list(job.overrides),
        "hydra.runtime.output_dir": str(directory / job.folder),
    }
    return replace(job, hydra=hydra)
