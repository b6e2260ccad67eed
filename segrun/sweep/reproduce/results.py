"""What a finished run came to, as far as another run of the same experiment must come to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import read_manifest
from segrun.runner.keys import CODE, LIBRARIES

#: Compared within a tolerance: sums of floats, whose last bits depend on processor and threads.
SCORES = ("silhouette", "silhouette_se", "davies_bouldin", "calinski_harabasz", "inertia")
#: Compared exactly.
_COUNTS = ("n_clusters", "n_noise")
#: Files that the results are read from.
_READ = ("scores.csv", "timings.csv", "predictions/")


@dataclass(frozen=True)
class PointResult:
    """What one point came to.

    Attributes
    ----------
    status : str
        done or failed.
    counts : mapping of str to int or None
        Clusters and noise rows.
    labels : str
        sha256 of the labels as little-endian int64, rows as in features.parquet; empty without.
    scores : mapping of str to float or None
        Those compared within a tolerance.
    """

    status: str
    counts: Mapping[str, int | None]
    labels: str
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class JobResults:
    """What one run came to.

    Attributes
    ----------
    points : mapping of str to PointResult
        By point.
    input_sha256 : str
        Digest of the input.
    from_file : bool
        Whether the input is a file; otherwise the experiment makes it.
    fit_seconds : float
        Of all fits together.
    backend_ran : str
        Which backends really fitted.
    run : FinishedRun or None
        Which has the labels; None where only their digests are known.
    """

    points: Mapping[str, PointResult]
    input_sha256: str
    from_file: bool
    fit_seconds: float
    backend_ran: str
    run: FinishedRun | None = None

    def plain(self) -> dict[str, Any]:
        """Return the results as JSON can hold them."""
        return {
            "input_sha256": self.input_sha256,
            "from_file": self.from_file,
            "fit_seconds": round(self.fit_seconds, 4),
            "backend_ran": self.backend_ran,
            "points": {slug: vars(point) for slug, point in self.points.items()},
        }


def from_plain(values: Mapping[str, Any]) -> JobResults:
    """Return the results that `JobResults.plain` gave these values of."""
    points = {slug: PointResult(**point) for slug, point in values["points"].items()}
    return JobResults(**{**values, "points": points})


@dataclass(frozen=True)
class Results:
    """What several runs came to, and what they ran on.

    Attributes
    ----------
    jobs : mapping of str to JobResults
        By folder below the sweep directory.
    environment : mapping of str to str
        What results may depend on besides experiment and input: versions, processor, threads.
    notes : list of str
        What is to be said of them.
    """

    jobs: Mapping[str, JobResults]
    environment: Mapping[str, str]
    notes: list[str] = field(default_factory=list)


def read_results(directory: Path) -> JobResults:
    """Return what a run came to.

    Raises
    ------
    StoreError
        If it did not come to its end, or a file is missing or damaged.
    """
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
        labels=digest(run.labels(row["point"])) if done else "",
        scores={name: float(row[name]) if row[name] else None for name in SCORES},
    )


def digest(labels: NDArray[np.int64]) -> str:
    """Return the sha256 of labels as little-endian int64, in row order."""
    return hashlib.sha256(np.ascontiguousarray(labels, dtype="<i8").tobytes()).hexdigest()


def changed_files(directory: Path) -> list[str]:
    """Return the files with results that are no longer what the run has left."""
    return as_it_stands(directory).changed(*_READ)


def environment(directory: Path) -> dict[str, str]:
    """Return what the results of a run may depend on besides experiment and input."""
    found = as_it_stands(directory).environment
    versions = found.get("versions", {})
    threads = found.get("threads", {})
    return {
        **{name: str(found.get(name, "")) for name in ("cpu", "usable_cores", "python")},
        **{name: str(versions.get(name, "")) for name in LIBRARIES},
        CODE: str(found.get("code", "")),
        **{name: str(value) for name, value in threads.items()},
    }
