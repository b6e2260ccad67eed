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

from segrun import config
from segrun.claim import MANIFEST
from segrun.run import about
from segrun.store import read_csv
from segrun.sweep.job import Job


@dataclass(frozen=True)
class Estimate:
    """What a job will take, judged by finished ones.

    Attributes
    ----------
    wall_seconds : float
        Of all stages together.
    peak_rss_bytes : int
        Highest resident memory of any stage.
    basis : str
        What it is judged by.
    """

    wall_seconds: float
    peak_rss_bytes: int
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
        for manifest in sorted([*root.glob(f"*/{MANIFEST}"), *root.glob(f"*/*/{MANIFEST}")]):
            self._note(manifest)

    def _note(self, file: Path) -> None:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            kind, n_points = _kind(content["experiment"]), sum(content["points"].values())
        except (OSError, ValueError, KeyError):
            # Somebody else's file, or a run that never came to its points.
            return
        if content["status"] == "done":
            self._by_key.setdefault(content.get("key", ""), file.parent)
            self._alike[kind].append((file.parent, n_points))

    def cached(self, job: Job) -> Path | None:
        """Return a finished run with the content key of this job, None without one."""
        return self._by_key.get(job.key)

    def estimate(self, job: Job) -> Estimate | None:
        """Return what a job will take; None where there is nothing to judge by."""
        same = self.cached(job)
        if same is not None:
            return Estimate(*_taken(same), f"the same job in {same}")
        alike = self._alike.get(_kind(_about(job)), [])
        if not alike:
            return None
        taken = [(*_taken(directory), n_points) for directory, n_points in alike]
        each = median(seconds / n_points for seconds, _, n_points in taken)
        memory = max(n_bytes for _, n_bytes, _ in taken)
        basis = f"{len(alike)} finished with the same data and algorithm, by number of points"
        return Estimate(each * n_points(job), memory, basis)


def n_points(job: Job) -> int:
    """Return the number of grid points of a job."""
    algo = job.experiment["algo"]
    return prod(len(values) for name, values in algo["grid"].items() if not _fixed(algo, name))


def _fixed(algo: Mapping[str, Any], name: str) -> bool:
    return algo["params"].get(name) is not None


def _about(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = about(config.from_plain(job.experiment))["experiment"]
    return found


def _kind(experiment: Mapping[str, Any]) -> str:
    parts = ("dataset", "features", "augmentation", "algo", "backend")
    return "/".join(str(experiment.get(part)) for part in parts)


def _taken(directory: Path) -> tuple[float, int]:
    rows = read_csv(directory / "timings.csv")
    seconds = sum(float(row["wall_seconds"]) for row in rows)
    return seconds, max((int(row["peak_rss_bytes"] or 0) for row in rows), default=0)


def totals(estimates: Iterable[Estimate | None]) -> tuple[float, int, int]:
    """Return the sum of seconds, the largest memory, and how many jobs have no estimate."""
    judged = list(estimates)
    known = [estimate for estimate in judged if estimate is not None]
    seconds = sum(estimate.wall_seconds for estimate in known)
    memory = max((estimate.peak_rss_bytes for estimate in known), default=0)
    return seconds, memory, len(judged) - len(known)
