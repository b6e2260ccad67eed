"""The aggregate over the jobs of a sweep: one ``scores.csv`` with every point of every job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segrun.config import read_yaml
from segrun.store import read_csv, read_manifest, write_atomically, write_csv


def job_directories(sweep: Path) -> list[Path]:
    """Return the job directories of a sweep in the order of their numbers."""
    jobs = [path for path in sweep.iterdir() if (path / ".hydra").is_dir()]
    return sorted(jobs, key=lambda path: (_number(path.name), path.name))


def _number(name: str) -> int:
    head = name.split("-", 1)[0]
    return int(head) if head.isdigit() else -1


def write_aggregate(sweep: Path) -> None:
    """Write ``scores.csv`` of the sweep from what its jobs have written so far.

    A job without scores (failed, interrupted, unfinished) is one row with its status and reason.
    """
    rows = [row for job in job_directories(sweep) for row in _rows(job)]
    if rows:
        write_atomically(sweep / "scores.csv", lambda path: write_csv(path, rows))


def _rows(job: Path) -> list[dict[str, Any]]:
    manifest = read_manifest(job)
    about = {"job": job.name, **manifest.get("experiment", {}), "overrides": _overrides(job)}
    scores = job / "scores.csv"
    if scores.is_file():
        return [{**about, **row} for row in read_csv(scores)]
    return [{**about, "point": "", "status": manifest["status"], "reason": manifest["reason"]}]


def _overrides(job: Path) -> str:
    file = job / ".hydra" / "overrides.yaml"
    return " ".join(read_yaml(file)) if file.exists() else ""
