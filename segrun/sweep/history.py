"""Finished runs of the past: which jobs need not be run again, and what such jobs take."""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from segrun.algorithms.grid import points
from segrun.config import from_plain
from segrun.errors import StoreError
from segrun.rundir.claim import INGESTED, MANIFEST
from segrun.rundir.store import read_csv
from segrun.runner.keys import kind_key
from segrun.sweep.job import Job

#: Stages that a run has once, however many points it has.
_ONCE = ("load", "features", "augment", "transform")


@dataclass(frozen=True)
class JobEstimate:
    """What a job will take, and what it is judged by; None: nothing tells."""

    wall_seconds: float | None
    peak_rss_bytes: int | None
    basis: str


class History:
    """The finished runs below a folder such as ``outputs/<name>``, and in sweeps below it."""

    def __init__(self, root: Path) -> None:
        self._by_key: dict[str, Path] = {}
        self._alike: dict[str, list[tuple[Path, int]]] = defaultdict(list)
        self._clustered: dict[tuple[str, str], int] = {}
        # A job's folder may be some levels below its sweep.
        for depth in range(1, 5):
            for manifest in sorted(root.glob("*/" * depth + MANIFEST)):
                self._note(manifest)

    def _note(self, file: Path) -> None:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            key, kind = content["key"], content["kind"]
            data = content["input"]["sha256"], content["experiment"]["features"]
            n_points, status = sum(content["points"].values()), content["status"]
            clustered = content["features"].get("clustered")
        except (OSError, ValueError, KeyError):
            # Somebody else's file, or a run that never came to its points.
            return
        if status == "done":
            self._by_key.setdefault(key, file.parent)
            self._alike[kind].append((file.parent, n_points))
            if clustered is not None:
                self._clustered[data] = clustered

    def n_customers(self, job: Job) -> int | None:
        """Return how many customers a finished run clustered of the same file, None without one.

        The rules that leave customers out may differ.
        """
        return self._clustered.get((job.input_sha256 or "", job.experiment["features"]["name"]))

    def cached(self, job: Job) -> Path | None:
        """Return a finished run with the content key of this job, None without one."""
        return self._by_key.get(job.key)

    def estimate(self, job: Job) -> JobEstimate | None:
        """Return what a job will take; None where there is nothing to judge by."""
        n_points = len(points(from_plain(job.experiment).algo))
        same = self.cached(job)
        taken = _taken([(same, n_points)]) if same is not None else []
        basis = f"the same job in {same}"
        if not taken:
            taken = _taken(self._alike.get(kind_key(job.experiment, job.input_sha256), []))
            basis = f"{len(taken)} finished with the same data and algorithm, by number of points"
        if not taken:
            return None
        once, each, memory = zip(*taken, strict=True)
        return JobEstimate(median(once) + median(each) * n_points, max(memory), basis)


def _taken(runs: Iterable[tuple[Path, int]]) -> list[tuple[float, float, int]]:
    """Return what runs took: seconds once and for each point, memory.

    Those whose data another one had prepared are left out.
    """
    found = []
    for directory, n_points in runs:
        rows = read_csv(directory / "timings.csv")
        if any(row["stage"] == "features" for row in rows):
            seconds = {True: 0.0, False: 0.0}
            for row in rows:
                seconds[row["stage"] in _ONCE] += float(row["wall_seconds"])
            memory = max(int(row["peak_rss_bytes"] or 0) for row in rows)
            found.append((seconds[True], seconds[False] / n_points, memory))
    return found


def take_over(jobs: Sequence[Job], sweep: Path) -> dict[int, Path]:
    """Copy finished runs with the keys of jobs into their sweep; return them by number of job."""
    history = History(sweep.parent)
    found = {job.number: run for job in jobs if (run := history.cached(job)) is not None}
    for job in jobs:
        if job.number in found:
            _copy(found[job.number], sweep / job.folder)
    return found


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
    # Finished files are never written to again, so both may be the same on disk.
    try:
        os.link(source, target)
    except OSError:
        # Another disk, or a file system without links.
        shutil.copy2(source, target)
