"""A finished run or sweep: its jobs, to be run again, and what they came to."""

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
    READ,
    Results,
    as_it_stands,
    environment,
    read_results,
)


@dataclass(frozen=True)
class Stored:
    """A finished run or sweep: the jobs that came to results, and the arguments that it was."""

    jobs: list[Job]
    arguments: list[str]
    results: Results


def read(path: Path) -> Stored:
    """Return what a run or sweep directory holds; StoreError where nothing came to results."""
    return _sweep(path) if (path / SWEEP).is_file() else _run(path)


def _sweep(path: Path) -> Stored:
    header = read_header(path)
    jobs, results, notes = [], {}, []
    for job in read_jobs(path, header.n_jobs):
        directory = path / job.folder
        manifest = JobResult(directory).manifest()
        if manifest["status"] not in ("done", "incomplete"):
            notes.append(f"{job.folder} is left out: {manifest['status']}, {manifest['reason']}")
            continue
        results[job.folder] = read_results(directory)
        notes += _notes(directory)
        jobs.append(_again(job, directory, header.hydra["runtime"]["cwd"]))
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
    again = _again(job, path, hydra.get("runtime", {}).get("cwd", Path.cwd()))
    found = Results({folder: results}, environment(path), _notes(path))
    return Stored([again], list(overrides), found)


def _read(file: Path) -> Any:
    return config.read_yaml(file) if file.is_file() else {}


def _notes(directory: Path) -> list[str]:
    return [
        f"{directory / name} was changed after the run had ended"
        for name in as_it_stands(directory).changed(*READ)
    ]


def _again(job: Job, directory: Path, began_in: Any) -> Job:
    """Return a job as it can be run from here."""
    # Labels and scores are compared, neither segments nor pages.
    experiment = dict(job.experiment) | {"report": "none"}
    if "segments" in experiment:
        experiment["segments"] = {**experiment["segments"], "describe": False}
    sha256 = None
    if "path" in experiment["dataset"]:
        from segrun.data.datasets.sql import moved

        sha256 = str(JobResult(directory).manifest()["input"]["sha256"])
        # Paths are relative to where the run was begun.
        path = moved(str(experiment["dataset"]["path"]), Path(began_in))
        experiment["dataset"] = {**experiment["dataset"], "path": path}
    algorithm = identity(config.from_plain(experiment).algo)
    key = job_key(experiment, sha256, libraries(algorithm))
    return replace(job, experiment=experiment, input_sha256=sha256, key=key)


def with_input(jobs: list[Job], path: str) -> list[Job]:
    """Return the jobs with another path to their input file: its content must be the same."""

    def moved(experiment: Mapping[str, Any]) -> dict[str, Any]:
        return {**experiment, "dataset": {**experiment["dataset"], "path": path}}

    return [
        job if job.input_sha256 is None else replace(job, experiment=moved(job.experiment))
        for job in jobs
    ]


def refuse_other_input(path: str, before: str) -> None:
    """Refuse an input file that is not the one of then, naming both digests."""
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
