"""The sweep directory: what was planned, written before any job begins, and read again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segrun.errors import ClaimError, StoreError
from segrun.rundir.atomic import write_text
from segrun.rundir.claim import LOCK, MANIFEST, MULTIRUN, SWEEP, clear_failed, locked, remove_empty
from segrun.rundir.store import read_json
from segrun.sweep.job import Job

_JOBS = "jobs"


@dataclass(frozen=True)
class SweepHeader:
    """What all jobs of a sweep have in common.

    Of a "grid" all jobs are known from the start; of a "study" an optimiser asks for them, and
    `study` is what it needs. `hydra` is the sweep's own node, unresolved.
    """

    kind: str
    command: list[str]
    hydra: Mapping[str, Any]
    launcher: Mapping[str, Any]
    keep_going: bool
    versions: Mapping[str, str]
    n_jobs: int | None = None
    study: Mapping[str, Any] = field(default_factory=dict)


class SweepDirectory:
    """A sweep directory that this process conducts: nobody else may, while it lives."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        busy = f"another process conducts the sweep in {path}: wait until it has ended, or stop it"
        self._lock = locked(self.path, 0, busy)

    def begin(self, header: SweepHeader, jobs: Iterable[Job], composed: str) -> None:
        """Write down the jobs and then what they have in common: from here on it is a sweep."""
        # What a sweep has left that was killed while it wrote its own.
        shutil.rmtree(self.path / _JOBS, ignore_errors=True)
        for job in jobs:
            self.add(job)
        write_text(self.path / MULTIRUN, composed)
        text = json.dumps(vars(header), indent=1, default=str)
        write_text(self.path / SWEEP, text)

    def clear_failed(self) -> None:
        """Take away a grid of which every job has failed: it came to nothing."""
        try:
            if read_json(self.path / SWEEP).get("kind") != "grid":
                return
            folders = [self.path / job.folder for job in read_jobs(self.path, None)]
            ends = [read_json(folder / MANIFEST).get("status") for folder in folders]
        except (ValueError, StoreError):
            # Somebody has changed it.
            return
        if set(ends) != {"failed"}:
            return
        for folder in folders:
            clear_failed(folder)
            (folder / "segrun.log").unlink(missing_ok=True)
            remove_empty(folder, self.path)
        for name in ("scores.csv", "jobs.csv", MULTIRUN, SWEEP):
            (self.path / name).unlink(missing_ok=True)

    def add(self, job: Job) -> None:
        """Write down one new job, refused where its folder is somebody else's."""
        self._refuse_taken(job.folder)
        self.put(job)

    def put(self, job: Job) -> None:
        """Write down one job, whose folder may be there from an earlier attempt."""
        text = json.dumps(vars(job), default=str)
        write_text(self.path / _JOBS / f"{job.number}.json", text)

    def _refuse_taken(self, folder: str) -> None:
        directory = (self.path / folder).resolve()
        if not directory.is_relative_to(self.path.resolve()) or directory == self.path.resolve():
            raise ClaimError(
                f"hydra.sweep.subdir gives {folder!r}, which is not below the sweep directory "
                f"{self.path}: let it name a folder, as ${{hydra.job.num}}-${{algo.name}} does"
            )
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise ClaimError(
                f"the directory {directory} is in use. Choose another sweep directory with "
                "hydra.sweep.dir=DIR"
            )

    def close(self) -> None:
        """Let others conduct it; where it never began, leave nothing."""
        never_began = {entry.name for entry in self.path.iterdir()} <= {LOCK}
        if never_began:
            (self.path / LOCK).unlink(missing_ok=True)
        self._lock.release()
        if never_began:
            remove_empty(self.path, Path.cwd())


def read_header(path: Path) -> SweepHeader:
    """Return what all jobs of a sweep have in common; StoreError if it is no sweep directory."""
    if not path.is_dir():
        raise StoreError(f"{path} is no directory: name the directory of a sweep")
    try:
        content = read_json(path / SWEEP)
        if content:
            return SweepHeader(**content)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path / SWEEP} cannot be read ({error}): it was changed") from error
    if (path / "manifest.json").exists() or (path / "UNFINISHED").exists():
        raise StoreError(f"{path} is one run, not a sweep: name the directory above it, if any")
    raise StoreError(
        f"{path} is no sweep: it has no {SWEEP}. A sweep that was killed before its jobs were "
        "written down has nothing to resume: begin it anew"
    )


def read_jobs(path: Path, n_jobs: int | None) -> list[Job]:
    """Return the jobs of a sweep, by number; `n_jobs` is None where nobody knows how many."""
    found = []
    for file in (path / _JOBS).glob("*.json"):
        try:
            found.append(Job(**json.loads(file.read_text(encoding="utf-8"))))
        except (ValueError, TypeError) as error:
            raise StoreError(f"{file} cannot be read ({error}): it was changed") from error
    if n_jobs is not None and len(found) != n_jobs:
        raise StoreError(
            f"{path / _JOBS} has {len(found)} of {n_jobs} jobs: files were removed or added, so "
            "nobody knows what the sweep was. Begin it anew"
        )
    return sorted(found, key=lambda job: job.number)
