"""Go on with a sweep: what is missing or failed is run, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from segrun import config
from segrun.algorithms import identity
from segrun.config.explain import explain
from segrun.config.override import setting
from segrun.errors import ConfigError, StoreError
from segrun.report.sweep import JobResult
from segrun.runner.keys import job_key, libraries
from segrun.sweep.composer import plain
from segrun.sweep.conduct import Conductor, tell
from segrun.sweep.directory import SweepDirectory, SweepHeader, read_header, read_jobs
from segrun.sweep.freeze import refuse_changed_inputs
from segrun.sweep.job import FINISHED, Job
from segrun.sweep.launchers import defaults, make, schema_of
from segrun.sweep.reproduce.verdict import environments

_USAGE = (
    "segrun resume SWEEP [hydra/launcher=NAME] [hydra.launcher.KEY=VALUE ...]: name the directory "
    "of a sweep"
)


def resume_command(arguments: Sequence[str]) -> int:
    """Go on with a sweep and return the exit code; its directory comes first in the arguments."""
    if not arguments or ("=" in arguments[0] and not Path(arguments[0]).is_dir()):
        raise ConfigError(_USAGE)
    path, header = Path(arguments[0]).absolute(), read_header(Path(arguments[0]))
    settings = _changed(header.launcher, arguments[1:])
    folder, here = SweepDirectory(path), Path.cwd()
    try:
        # Paths are relative to where the sweep was begun.
        _enter(path, header.hydra["runtime"]["cwd"])
        conductor = Conductor(path, header, make(settings, path), here=here)
        jobs = read_jobs(path, header.n_jobs)
        conductor.jobs.update({job.number: job for job in jobs})
        _warn_of_versions(header, jobs)
        return conductor.closed_after(lambda: _go_on(conductor, folder, _left(path, jobs)))
    finally:
        folder.close()


def _enter(sweep: Path, folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise StoreError(
            f"{sweep} was begun in {folder}, which cannot be entered ({error.strerror}): its paths "
            "are relative to that"
        ) from error


def _go_on(conductor: Conductor, folder: SweepDirectory, jobs: Mapping[int, str]) -> None:
    for number, why in jobs.items():
        tell(f"#{number} {conductor.jobs[number].folder}: {why}")
    todo = [conductor.jobs[number] for number in jobs]
    refuse_changed_inputs([(job.experiment, job.input_sha256) for job in todo])
    if conductor.header.kind == "study":
        from segrun.sweep.search import go_on

        go_on(conductor, folder, todo)
        return
    if not todo:
        tell("nothing is left to run")
    conductor.run_all(todo)


def _left(path: Path, jobs: Sequence[Job]) -> dict[int, str]:
    """Return the numbers of the jobs that are to be run, each with the reason."""
    found = {}
    for job in jobs:
        manifest = JobResult(path / job.folder).manifest()
        if manifest["status"] not in FINISHED:
            found[job.number] = _why(manifest)
    return found


def _why(manifest: Mapping[str, Any]) -> str:
    status = manifest["status"]
    if status == "missing":
        return "was not begun"
    if status == "unfinished":
        return "was killed"
    if status == "incomplete":
        points = manifest["points"]
        failed = sum(n for name, n in points.items() if name != "done")
        return f"{failed} of {sum(points.values())} points failed"
    return f"{status}: {manifest['reason']}"


def _warn_of_versions(header: SweepHeader, jobs: Sequence[Job]) -> None:
    other = environments(header.versions, libraries(""))
    # Where all that jobs have in common is the same, another key is another state of a plugin.
    if not other and (names := {job.experiment["algo"]["name"] for job in jobs if _is_other(job)}):
        other = [f"other code of {name}" for name in sorted(names)]
    if other:
        tell(
            f"not what the sweep was begun with: {'; '.join(other)}. Finished jobs stay "
            "as they are; in jobs that go on, every point is fitted anew"
        )


def _is_other(job: Job) -> bool:
    """Tell whether a job would come to another key by the code of now."""
    own = identity(config.from_plain(job.experiment).algo)
    return job.key != job_key(job.experiment, job.input_sha256, libraries(own))


def _changed(launcher: Mapping[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a launcher with the changes that the arguments ask for."""
    settings = dict(launcher)
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "hydra/launcher":
            settings = defaults(value)
        elif not key.startswith("hydra.launcher."):
            raise ConfigError(
                f"{argument}: a sweep goes on as it was planned; only its launcher can change. "
                f"{_USAGE}"
            )
    typed = OmegaConf.merge(OmegaConf.structured(schema_of(settings)), settings)
    values = [argument for argument in arguments if argument.startswith("hydra.launcher.")]
    try:
        for argument in values:
            path, value = setting(argument)
            OmegaConf.update(typed, ".".join(path[2:]), value)
    except (OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(f"{' '.join(values)}: {explain(error)}") from error
    assert isinstance(typed, DictConfig)
    return plain(typed)
