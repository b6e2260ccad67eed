"""What a finished run or sweep was, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segrun import config
from segrun.algorithms import identity
from segrun.data.address import is_address, refuse_secret
from segrun.errors import DataError, StoreError
from segrun.report.sweep import JobResult
from segrun.rundir.claim import SWEEP
from segrun.runner.keys import job_key, libraries
from segrun.sweep.directory import read_header, read_jobs
from segrun.sweep.freeze import file_sha256
from segrun.sweep.job import Job
from segrun.sweep.reproduce.results import (
    Results,
    as_it_stands,
    changed_files,
    environment,
    read_results,
)

#: Ends of a job that has something to compare with.
_COMPARABLE = ("done", "incomplete")


@dataclass(frozen=True)
class Stored:
    """A finished run or sweep.

    Attributes
    ----------
    jobs : list of Job
        Its jobs that came to results, to be run again.
    arguments : list of str
        Of the command that it was.
    results : Results
        What it came to.
    """

    jobs: list[Job]
    arguments: list[str]
    results: Results


def read(path: Path) -> Stored:
    """Return what a run directory or a sweep directory holds.

    Raises
    ------
    StoreError
        If it is neither, or nothing in it came to results.
    """
    return _sweep(path) if (path / SWEEP).is_file() else _run(path)


def _sweep(path: Path) -> Stored:
    header = read_header(path)
    jobs, results, notes = [], {}, []
    for job in read_jobs(path, header.n_jobs):
        directory = path / job.folder
        manifest = JobResult(directory).manifest()
        if manifest["status"] not in _COMPARABLE:
            notes.append(f"{job.folder} is left out: {manifest['status']}, {manifest['reason']}")
            continue
        results[job.folder] = read_results(directory)
        notes += _notes(directory)
        began_in = str(header.hydra["runtime"]["cwd"])
        jobs.append(_again(job, _input(job.experiment, directory), began_in))
    if not jobs:
        raise StoreError(f"{path} has nothing to compare with: {'; '.join(notes)}")
    found = environment(path / jobs[0].folder)
    return Stored(jobs, list(header.command[1:]), Results(results, found, notes))


def _run(path: Path) -> Stored:
    results = read_results(path)
    experiment = config.plain(config.from_plain(as_it_stands(path).experiment))
    hydra = _read(path / ".hydra" / "hydra.yaml").get("hydra", {})
    overrides = _read(path / ".hydra" / "overrides.yaml") or []
    folder = f"0-{experiment['algo']['name']}"
    job = Job(
        number=0, folder=folder, overrides=overrides, experiment=experiment,
        config=_read(path / ".hydra" / "config.yaml") or experiment,
        hydra={}, key="", input_sha256=None,
    )  # fmt: skip
    began_in = str(hydra.get("runtime", {}).get("cwd", Path.cwd()))
    again = _again(job, _input(experiment, path), began_in)
    return Stored(
        [again], list(overrides), Results({folder: results}, environment(path), _notes(path))
    )


def _read(file: Path) -> Any:
    return config.read_yaml(file) if file.is_file() else {}


def _notes(directory: Path) -> list[str]:
    return [
        f"{directory / name} was changed after the run had ended"
        for name in changed_files(directory)
    ]


def _input(experiment: Mapping[str, Any], directory: Path) -> str | None:
    """Return the digest of a run's input file, None where the experiment makes the data."""
    found = JobResult(directory).manifest()["input"]
    return str(found["sha256"]) if "path" in experiment["dataset"] else None


def _again(job: Job, sha256: str | None, began_in: str) -> Job:
    """Return a job as it can be run from here."""
    # Labels and scores are compared, neither segments nor pages.
    experiment = dict(job.experiment) | {"report": "none"}
    if "segments" in experiment:
        experiment["segments"] = {**experiment["segments"], "describe": False}
    if sha256 is not None:
        # Paths are relative to where the run was begun.
        from segrun.data.datasets.sql import moved

        path = moved(str(experiment["dataset"]["path"]), Path(began_in))
        experiment["dataset"] = {**experiment["dataset"], "path": path}
    algorithm = identity(config.from_plain(experiment).algo)
    key = job_key(experiment, sha256, libraries(algorithm))
    return replace(job, experiment=experiment, input_sha256=sha256, key=key)


def with_input(jobs: list[Job], path: str) -> list[Job]:
    """Return the jobs with another path to their input file: its content must be the same."""
    return [
        replace(
            job,
            experiment={**job.experiment, "dataset": {**job.experiment["dataset"], "path": path}},
        )
        if job.input_sha256 is not None
        else job
        for job in jobs
    ]


def refuse_other_input(path: str, before: str) -> None:
    """Refuse an input file that is not the one of then.

    Raises
    ------
    DataError
        Naming both digests.
    """
    if is_address(path):
        # Told when its rows are read.
        refuse_secret(path, "dataset.path")
        return
    now = file_sha256(path)
    if now != before:
        found = f"its sha256 is {now}" if now else "it cannot be read"
        raise DataError(
            f"dataset.path={path} is not the input of then: {found}, then it was {before}. Give "
            "the file of then: segrun reproduce ... dataset.path=FILE"
        )
