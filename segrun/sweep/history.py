"""Finished runs of the past: which jobs need not be run again, and what such jobs take."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

from segrun.rundir.claim import MANIFEST
from segrun.rundir.store import read_csv
from segrun.runner.keys import kind_key
from segrun.sweep.job import Job


@dataclass(frozen=True)
class Estimate:
    """What a job will take, judged by finished ones.

    Attributes
    ----------
    wall_seconds : float or None
        Of all stages together, None without a finished run.
    peak_rss_bytes : int or None
        Highest resident memory of any stage, None where nothing tells.
    basis : str
        What it is judged by.
    """

    wall_seconds: float | None
    peak_rss_bytes: int | None
    basis: str


class History:
    """The finished runs below a folder.

    Parameters
    ----------
    root : Path
        Such as ``outputs/<name>``: runs in it, and sweeps of runs.
    """

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

    def estimate(self, job: Job) -> Estimate | None:
        """Return what a job will take; None where there is nothing to judge by."""
        same = self.cached(job)
        own = _taken(same, n_points(job)) if same is not None else None
        if own is not None:
            whole = own.once_seconds + own.each_seconds * n_points(job)
            return Estimate(whole, own.peak_rss_bytes, f"the same job in {same}")
        alike = self._alike.get(kind_key(job.experiment, job.input_sha256), [])
        taken = [found for found in (_taken(directory, n) for directory, n in alike) if found]
        if not taken:
            return None
        once = median(found.once_seconds for found in taken)
        each = median(found.each_seconds for found in taken)
        memory = max(found.peak_rss_bytes for found in taken)
        basis = f"{len(taken)} finished with the same data and algorithm, by number of points"
        return Estimate(once + each * n_points(job), memory, basis)


@dataclass(frozen=True)
class _Taken:
    """What a finished run took: once, and for each of its points."""

    once_seconds: float
    each_seconds: float
    peak_rss_bytes: int


def n_points(job: Job) -> int:
    """Return the number of grid points of a job."""
    algo = job.experiment["algo"]
    return prod(len(values) for name, values in algo["grid"].items() if not _fixed(algo, name))


def _fixed(algo: Mapping[str, Any], name: str) -> bool:
    return algo["params"].get(name) is not None


#: Stages that a run has once, however many points it has.
_ONCE = ("load", "features", "augment", "transform")


def _taken(directory: Path, n_points: int) -> _Taken | None:
    """Return what a run took; None where another one had prepared its data."""
    rows = read_csv(directory / "timings.csv")
    if not any(row["stage"] == "features" for row in rows):
        return None
    seconds = {True: 0.0, False: 0.0}
    for row in rows:
        seconds[row["stage"] in _ONCE] += float(row["wall_seconds"])
    memory = max(int(row["peak_rss_bytes"] or 0) for row in rows)
    return _Taken(seconds[True], seconds[False] / n_points, memory)


def totals(estimates: Iterable[Estimate | None]) -> tuple[float, int, int]:
    """Return the sum of seconds, the largest memory, and how many jobs have no estimate."""
    judged = list(estimates)
    known = [estimate for estimate in judged if estimate is not None]
    seconds = sum(estimate.wall_seconds or 0.0 for estimate in known)
    memory = max((estimate.peak_rss_bytes or 0 for estimate in known), default=0)
    return seconds, memory, len(judged) - len(known)
