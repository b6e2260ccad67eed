"""The tables of a sweep, and what the terminal shows at its end: every job, every point."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from segrun.config import read_yaml
from segrun.errors import StoreError
from segrun.formats import percent, table
from segrun.rundir.atomic import write_atomically
from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import read_csv, read_manifest, write_csv

#: Warnings of a job that a table holds; its manifest has all.
_MOST_WARNINGS = 20
#: Columns of ``scores.csv`` that an objective or a limit can name.
_SCORES = ("silhouette", "davies_bouldin", "calinski_harabasz", "noise_share", "smallest_share",
           "largest_share", "n_clusters", "inertia")  # fmt: skip


@dataclass(frozen=True)
class JobResult:
    """What one job of a command has left in its directory.

    Attributes
    ----------
    directory : Path
        Its run directory.
    refused : str
        Why nothing of the job is in the directory; empty if it is the job's own.
    overrides : str
        What was asked for, where the directory cannot say it.
    number : int
        Of the job, from 0.
    key : str
        Its content key.
    wall_seconds, peak_rss_bytes : float and int, or None
        Of the job's process; None where this command did not run it.
    about : mapping
        Of the experiment, where the directory cannot say it.
    folder : str
        Its folder below the sweep directory; empty for a single run.
    attempts : int
        How often it was tried.
    experiment : mapping
        The experiment as plain values; empty where nobody knows.
    swept : mapping
        Values of the keys that the jobs of its sweep differ in.
    """

    directory: Path
    refused: str = ""
    overrides: str = ""
    number: int = 0
    key: str = ""
    wall_seconds: float | None = None
    peak_rss_bytes: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""
    attempts: int = 0
    experiment: Mapping[str, Any] = field(default_factory=dict)
    swept: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tables call the job."""
        return self.folder or self.directory.name

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; a status and a reason also where there is none."""
        if self.refused:
            return {"status": "failed", "reason": self.refused}
        if not self.directory.exists():
            return {"status": "missing", "reason": "not begun", "experiment": self.about}
        try:
            return {"experiment": self.about, **read_manifest(self.directory)}
        except (StoreError, ValueError) as error:
            # A directory that says nothing must not cost the other jobs their table.
            return {"status": "failed", "reason": str(error), "experiment": self.about}

    @cached_property
    def run(self) -> FinishedRun:
        """The run as it stands, where the job came to results."""
        return FinishedRun(self.directory, self.manifest(), verify=False)

    def table(self, name: str) -> list[dict[str, str]]:
        """Return a table of the run, empty where it was not written."""
        path = self.directory / name
        return [] if self.refused or not path.is_file() else read_csv(path)


def write_aggregate(sweep: Path, jobs: Sequence[JobResult]) -> None:
    """Write ``scores.csv`` of the sweep from what its jobs have written so far.

    A job without scores (failed, interrupted, unfinished) is one row with its status and reason.
    The columns are told in docs/sweeps.md.
    """
    rows = [row for job in jobs for row in _rows(job)]
    rows = [row | {"rank": rank} for row, rank in zip(rows, ranks(rows), strict=True)]
    write_atomically(sweep / "scores.csv", lambda path: write_csv(path, rows))


def write_jobs(sweep: Path, jobs: Sequence[JobResult]) -> None:
    """Write ``jobs.csv`` of the sweep: one row per job, also for those that have no scores.

    Time and memory of a job that an earlier command has run are kept from its table.
    """
    path = sweep / "jobs.csv"
    before = {row["job"]: row for row in read_csv(path)} if path.is_file() else {}
    rows = [_job_row(job, before.get(job.name, {})) for job in jobs]
    write_atomically(path, lambda temporary: write_csv(temporary, rows))


def _job_row(job: JobResult, before: Mapping[str, str]) -> dict[str, Any]:
    manifest = job.manifest()
    own = job.wall_seconds is not None
    return {
        "job": job.name,
        "number": job.number,
        "status": manifest["status"],
        "reason": manifest["reason"],
        "attempts": job.attempts,
        "wall_seconds": job.wall_seconds if own else before.get("wall_seconds"),
        "peak_rss_bytes": job.peak_rss_bytes if own else before.get("peak_rss_bytes"),
        "key": job.key,
        "code": manifest.get("code"),
        "overrides": job.overrides,
        "warnings": _warnings(manifest.get("warnings", [])),
    }


def _warnings(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_WARNINGS
    return "; ".join(texts if more <= 0 else [*texts[:_MOST_WARNINGS], f"{more} more"])


def _rows(job: JobResult) -> list[dict[str, Any]]:
    manifest = job.manifest()
    about = {
        "job": job.name,
        **manifest.get("experiment", {}),
        **_data(job, manifest),
        **job.swept,
        "overrides": _overrides(job),
    }
    scores = job.table("scores.csv")
    if not scores:
        return [{**about, "point": "", "status": manifest["status"], "reason": manifest["reason"]}]
    cautions = "; ".join(manifest.get("cautions", []))
    return [
        {**about, **row, "caution": cautions if row["selected"] == "true" else ""} for row in scores
    ]


def _data(job: JobResult, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the scores of a job are of."""
    experiment = job.experiment
    if not experiment:
        return {}
    return {
        "input": manifest.get("input", {}).get("path", experiment["dataset"].get("path")),
        "rows": manifest.get("rows"),
        "transform": transform_in_words(experiment["transform"]),
        "seed": experiment["seed"],
        "matrix": matrix_of(manifest, experiment),
    }


def _overrides(job: JobResult) -> str:
    file = job.directory / ".hydra" / "overrides.yaml"
    return " ".join(read_yaml(file)) if file.exists() and not job.refused else job.overrides


def scores_of(directory: Path) -> dict[str, float | None] | None:
    """Return the scores of a run of one point for an optimiser, None without labels.

    Scores, ``coverage`` (1 - noise_share), ``converged`` (0 or 1), ``fit_seconds`` and
    ``wall_seconds``; None for what is undefined of the clusters found.
    """
    manifest = read_manifest(directory)
    if manifest["status"] != "done":
        return None
    run = FinishedRun(directory, manifest)
    row = run.scores[0]
    found = {name: float(row[name]) if row[name] else None for name in _SCORES}
    noise = found["noise_share"]
    return {
        **found,
        # Of what has no iterations there is nothing to hold against it.
        "converged": 0.0 if row.get("converged") == "false" else 1.0,
        "coverage": None if noise is None else 1 - noise,
        "fit_seconds": sum(float(timing["wall_seconds"]) for timing in run.fits),
        "wall_seconds": sum(float(timing["wall_seconds"]) for timing in run.timings),
    }


#: Files of a run that hold the rows that were clustered, features in the units of the input.
_FEATURES = ("features.parquet", "features.npz")


def matrix_of(manifest: Mapping[str, Any], experiment: Mapping[str, Any]) -> str:
    """Return a digest of the rows and features as they were stored, and of the transform.

    Empty where the run came to no matrix.
    """
    files = manifest.get("files", {})
    transform = experiment.get("transform")
    if _FEATURES[0] not in files or transform is None:
        return ""
    # Components are found from a start that is drawn.
    drawn = experiment["seed"] if transform.get("pca") or transform.get("svd") else None
    parts = [[files.get(name) for name in _FEATURES], transform, drawn]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def transform_in_words(transform: Mapping[str, Any]) -> str:
    """Return a transform in words: ``log1p standard``, ``standard pca=0.95``, ``none``."""
    log1p = transform.get("log1p") or []
    logged = "log1p" if list(log1p) == ["*"] else f"log1p({' '.join(log1p)})"
    scale = transform.get("scale")
    parts = [logged if log1p else "", "" if scale in (None, "none") else str(scale)]
    parts += [f"{name}={transform[name]:g}" for name in ("pca", "svd") if transform.get(name)]
    return " ".join(part for part in parts if part) or "none"


def ranks(rows: Iterable[Mapping[str, Any]]) -> list[int | None]:
    """Return the rank of each row by silhouette, from 1, among those of its matrix.

    None for rows without a silhouette or a matrix, and for those that break a limit; of equal
    ones each has the better rank.
    """
    rows = list(rows)
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if _is_ranked(row):
            values[row["matrix"]].append(float(row["silhouette"]))
    for own in values.values():
        own.sort()
    return [_rank(float(row["silhouette"]), values[row["matrix"]]) if _is_ranked(row) else None
            for row in rows]  # fmt: skip


def _rank(value: float, ascending: Sequence[float]) -> int:
    return 1 + len(ascending) - bisect_right(ascending, value)


def _is_ranked(row: Mapping[str, Any]) -> bool:
    return bool(row.get("matrix") and row.get("silhouette") and not row.get("limit"))


_HEADER = ("job", "algo", "best point", "silhouette", "clusters", "noise", "backend", "fits",
           "fit s", "status")  # fmt: skip


def summary(jobs: Iterable[JobResult]) -> str:
    """Return a table with one line per job, finished or not, and what is odd about some."""
    jobs = list(jobs)
    chosen = [_chosen(job) for job in jobs]
    lines = [_HEADER, *(_line(job, row) for job, row in zip(jobs, chosen, strict=True))]
    if any(ranked := _ranked(chosen)):
        place = _HEADER.index("silhouette") + 1
        lines = [(*line[:place], cell, *line[place:])
                 for line, cell in zip(lines, ["rank", *ranked], strict=True)]  # fmt: skip
    notes = [f"{job.name}: {text}" for job in jobs for text in job.manifest().get("cautions", [])]
    return "\n".join([table(lines), *notes])


def _chosen(job: JobResult) -> dict[str, str]:
    """Return the selected point of a job with the matrix that it is of, empty without one."""
    best = next((row for row in job.table("scores.csv") if row["selected"] == "true"), None)
    return {**best, "matrix": matrix_of(job.manifest(), job.experiment)} if best else {}


def _ranked(chosen: Sequence[Mapping[str, str]]) -> list[str]:
    """Return each point's rank among those of its matrix, which is named where there are more.

    Empty where a point has none, or nobody to compete with.
    """
    sizes = Counter(row.get("matrix", "") for row in chosen)
    several = len(sizes.keys() - {""}) > 1
    return [
        f"{rank} of {sizes[row['matrix']]}" + (f" on {row['matrix']}" if several else "")
        if rank and len(chosen) > 1
        else ""
        for row, rank in zip(chosen, ranks(chosen), strict=True)
    ]


def _line(job: JobResult, best: Mapping[str, str]) -> tuple[str, ...]:
    manifest = job.manifest()
    fits = [row for row in job.table("timings.csv") if row["stage"] == "fit"]
    backends = Counter(row["backend_ran"] or "failed" for row in fits)
    return (
        job.name,
        str(manifest.get("experiment", {}).get("algo", "")),
        best["point"] if best else _no_point(job.table("scores.csv")),
        _silhouette(best) if best else "",
        best["n_clusters"] if best else "",
        percent(best["noise_share"]) if best else "",
        " ".join(f"{name} {n}" for name, n in backends.items()),
        str(len(fits)),
        f"{sum(float(row['wall_seconds']) for row in fits):.2f}",
        _status(manifest),
    )


def _no_point(rows: Sequence[dict[str, str]]) -> str:
    return "none within the limits" if any(row["status"] == "done" for row in rows) else ""


def _silhouette(row: Mapping[str, str]) -> str:
    if not row["silhouette"]:
        return ""
    error = float(row["silhouette_se"] or 0)
    return f"{float(row['silhouette']):.4f}" + (f" ± {error:.4f}" if error else "")


def _status(manifest: dict[str, object]) -> str:
    points = manifest.get("points")
    if manifest["status"] == "incomplete" and isinstance(points, dict):
        return "incomplete: " + ", ".join(f"{n} {status}" for status, n in points.items())
    return str(manifest["status"])
