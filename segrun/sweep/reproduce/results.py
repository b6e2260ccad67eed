"""What a run came to, as far as another run of the same experiment must come to it.

Read from its directory, or from the JSON beside the YAML of a committed experiment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import conf_directory, user_conf_directory
from segrun.errors import ConfigError, StoreError
from segrun.nearest import did_you_mean
from segrun.rundir.atomic import write_text
from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import read_manifest
from segrun.runner.keys import CODE, LIBRARIES

#: Compared within a tolerance: sums of floats, whose last bits depend on processor and threads.
_SCORES = ("silhouette", "silhouette_se", "davies_bouldin", "calinski_harabasz", "inertia")
#: Compared exactly.
_COUNTS = ("n_clusters", "n_noise")
#: Files that the results are read from.
READ = ("scores.csv", "timings.csv", "predictions/")
_ENDING = ".expected.json"


@dataclass(frozen=True)
class PointResult:
    """What one point came to.

    `labels` is the sha256 of the labels as little-endian int64, rows as in features.parquet; empty
    without.
    """

    status: str
    counts: Mapping[str, int | None]
    labels: str
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class JobResults:
    """What one run came to, by point.

    `from_file` is false where the experiment makes its input; `run` has the labels, None where only
    their digests are known.
    """

    points: Mapping[str, PointResult]
    input_sha256: str
    from_file: bool
    fit_seconds: float
    backend_ran: str
    run: FinishedRun | None = None


@dataclass(frozen=True)
class Results:
    """What several runs came to, by folder below the sweep directory, and what they ran on.

    `environment` is what results may depend on besides experiment and input; `notes` are what is
    to be said of them.
    """

    jobs: Mapping[str, JobResults]
    environment: Mapping[str, str]
    notes: list[str] = field(default_factory=list)


def read_results(directory: Path) -> JobResults:
    """Return what a run came to; StoreError if it has no end, or a file is missing or damaged."""
    run = as_it_stands(directory)
    status, reason = (run.manifest[name] for name in ("status", "reason"))
    if status not in ("done", "incomplete"):
        raise StoreError(f"{directory} has no results: {status}, {reason}")
    try:
        return JobResults(
            points={row["point"]: _point(run, row) for row in run.scores},
            input_sha256=run.manifest["input"]["sha256"],
            from_file="path" in run.manifest["input"],
            fit_seconds=sum(float(row["wall_seconds"]) for row in run.fits),
            backend_ran=" ".join(sorted({row["backend_ran"] or "none" for row in run.fits})),
            run=run,
        )
    except (OSError, KeyError, ValueError) as error:
        raise StoreError(f"{directory} cannot be read ({error!r}): it was changed") from error


def as_it_stands(directory: Path) -> FinishedRun:
    """Return a run whose files may have been changed since: then its results differ."""
    return FinishedRun(directory, read_manifest(directory), verify=False)


def _point(run: FinishedRun, row: Mapping[str, str]) -> PointResult:
    done = row["status"] == "done"
    return PointResult(
        status=row["status"],
        counts={name: int(row[name]) if row[name] else None for name in _COUNTS},
        labels=_digest(run.labels(row["point"])) if done else "",
        scores={name: float(row[name]) if row[name] else None for name in _SCORES},
    )


def _digest(labels: NDArray[np.int64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(labels, dtype="<i8").tobytes()).hexdigest()


def environment(directory: Path) -> dict[str, str]:
    """Return what the results of a run may depend on besides experiment and input."""
    found = as_it_stands(directory).environment
    versions = found.get("versions", {})
    return {
        **{name: str(found.get(name, "")) for name in ("cpu", "usable_cores", "python")},
        **{name: str(versions.get(name, "")) for name in LIBRARIES},
        CODE: str(found.get("code", "")),
        **{name: str(value) for name, value in found.get("threads", {}).items()},
    }


def find_expected(name: str) -> Path:
    """Return the file with the expectation of an experiment: the user's own first."""
    folders = [own for own in (user_conf_directory(), conf_directory()) if own is not None]
    known: list[str] = []
    for folder in folders:
        file = folder / "experiment" / f"{name}{_ENDING}"
        if file.is_file():
            return file
        known += [f.name.removesuffix(_ENDING) for f in file.parent.glob(f"*{_ENDING}")]
    raise ConfigError(
        f"segrun reproduce {name}: there is no such directory or file, and no experiment of that "
        f"name with expectations.{did_you_mean(name, known)} Experiments with expectations: "
        f"{', '.join(sorted(known)) or 'none'}"
    )


def read_expected(file: Path) -> tuple[list[str], Results]:
    """Return the arguments of a command and what it must come to, from a file."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        jobs = {}
        for folder, job in content["jobs"].items():
            points = {slug: PointResult(**point) for slug, point in job["points"].items()}
            jobs[folder] = JobResults(**{**job, "points": points})
        return list(content["arguments"]), Results(jobs, dict(content["environment"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{file} holds no expectation ({error!r}): write one with segrun reproduce --write "
            "FILE RUN_OR_SWEEP"
        ) from error


def write_expected(file: Path, arguments: Sequence[str], results: Results) -> None:
    """Write what a command came to: its arguments without ``-m``, input and output."""
    left_out = ("-", "hydra", "dataset.path=")
    content = {
        "arguments": [text for text in arguments if not text.startswith(left_out)],
        "environment": dict(results.environment),
        "jobs": {folder: _plain(job) for folder, job in results.jobs.items()},
    }
    write_text(file, json.dumps(content, indent=1) + "\n")


def _plain(job: JobResults) -> dict[str, Any]:
    return {
        "input_sha256": job.input_sha256,
        "from_file": job.from_file,
        "fit_seconds": round(job.fit_seconds, 4),
        "backend_ran": job.backend_ran,
        "points": {slug: vars(point) for slug, point in job.points.items()},
    }
