"""The aggregate over the jobs of a sweep: one ``scores.csv`` with every point of every job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segrun.config import read_yaml
from segrun.errors import StoreError
from segrun.store import read_csv, read_manifest, write_atomically, write_csv


@dataclass(frozen=True)
class Job:
    """One job of a command.

    Attributes
    ----------
    directory : Path
        Its run directory.
    refused : str
        Why the directory is not the job's own, so that nothing of the job is there; empty if
        it is.
    overrides : str
        What was asked for, where the directory cannot say it.
    """

    directory: Path
    refused: str = ""
    overrides: str = ""

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; status ``failed`` for a job without a directory of its own."""
        if self.refused:
            return {"status": "failed", "reason": self.refused}
        try:
            return read_manifest(self.directory)
        except (StoreError, ValueError) as error:
            # A directory that says nothing must not cost the other jobs their table.
            return {"status": "failed", "reason": str(error)}

    def table(self, name: str) -> list[dict[str, str]]:
        """Return a table of the run, empty where it was not written."""
        path = self.directory / name
        return [] if self.refused or not path.is_file() else read_csv(path)


def write_aggregate(sweep: Path, jobs: Sequence[Job]) -> None:
    """Write ``scores.csv`` of the sweep from what its jobs have written so far.

    A job without scores (failed, interrupted, unfinished) is one row with its status and reason.
    """
    rows = [row for job in jobs for row in _rows(job)]
    write_atomically(sweep / "scores.csv", lambda path: write_csv(path, rows))


def _rows(job: Job) -> list[dict[str, Any]]:
    manifest = job.manifest()
    about = {
        "job": job.directory.name,
        **manifest.get("experiment", {}),
        "overrides": _overrides(job),
    }
    scores = job.table("scores.csv")
    if not scores:
        return [{**about, "point": "", "status": manifest["status"], "reason": manifest["reason"]}]
    return [{**about, **row} for row in scores]


def _overrides(job: Job) -> str:
    file = job.directory / ".hydra" / "overrides.yaml"
    return " ".join(read_yaml(file)) if file.exists() and not job.refused else job.overrides
