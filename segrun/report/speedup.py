"""How backends compare in one sweep: how fast each was, and whether the clusters are the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from segrun.config import Effect, values_with
from segrun.report.agreement import Agreement, agree, overall, same_each_round
from segrun.report.samples import Series, ratio, samples
from segrun.report.sweep import JobResult
from segrun.rundir.atomic import write_atomically
from segrun.rundir.store import write_csv

#: What the others are compared with, where it is there.
_BASELINE = "onedal"
#: What all runs over one grid have in common, but for the backend and the round.
_ALIKE = {Effect.DATA, Effect.LABELS, Effect.SCORES, Effect.TIMINGS, Effect.COST}

Row = dict[str, Any]


def write_speedup(sweep: Path, jobs: Sequence[JobResult]) -> list[Grid]:
    """Write ``speedup.csv`` of a sweep that has several backends or several rounds.

    Parameters
    ----------
    sweep : Path
        The sweep directory.
    jobs : sequence of JobResult
        Its jobs.

    Returns
    -------
    list of Grid
        What was compared; empty, and nothing written, where there is nothing to compare.
    """
    found = [grid for grid in grids(jobs) if grid.points]
    if found:
        rows = [row for grid in found for row in grid.rows()]
        write_atomically(sweep / "speedup.csv", lambda path: write_csv(path, rows))
    return found


def grids(jobs: Sequence[JobResult]) -> list[Grid]:
    """Return the grids that several backends have fitted, or one in several rounds."""
    if len({_backend(job) for job in jobs if job.experiment}) < 2 and not any(map(_round, jobs)):
        return []
    found: dict[str, Grid] = {}
    common = set.intersection(*(set(job.overrides.split()) for job in jobs))
    for job in jobs:
        if not job.experiment or job.manifest()["status"] not in ("done", "incomplete"):
            continue
        grid = found.setdefault(_alike(job.experiment), Grid(job.experiment, _own(job, common)))
        grid.runs.setdefault(_backend(job), []).append(job)
    return [grid for grid in found.values() if sum(map(len, grid.runs.values())) > 1]


def _alike(experiment: Mapping[str, Any]) -> str:
    """Return what all runs over one grid have in common."""
    about = values_with(experiment, _ALIKE)
    timing = {**about["timing"], "round": None}
    return json.dumps({**about, "timing": timing, "backend": None}, sort_keys=True, default=repr)


def _backend(job: JobResult) -> str:
    return str(job.experiment["backend"]["name"])


def _round(job: JobResult) -> int:
    # A sweep of an earlier version has no rounds.
    return int(job.experiment["timing"].get("round", 0)) if job.experiment else 0


def _own(job: JobResult, common: AbstractSet[str]) -> str:
    """Return what tells a grid from the others: not what all have, nor what varies within it."""
    free = ("backend", "store.", "sweep.", "timing.round")
    words = [word for word in job.overrides.split() if word not in common]
    return " ".join(word for word in words if not word.startswith(free))


@dataclass(frozen=True)
class Grid:
    """One grid over the same data, fitted by several backends or in several rounds.

    Attributes
    ----------
    experiment : mapping
        What all its runs have in common, as one of them has it.
    overrides : str
        What tells it from the sweep's other grids.
    runs : mapping of str to list of JobResult
        By backend asked for, in order.
    """

    experiment: Mapping[str, Any]
    overrides: str
    runs: dict[str, list[JobResult]] = field(default_factory=dict)

    @cached_property
    def points(self) -> list[str]:
        """The points that came to labels in every run: others are no common work."""
        every = [job.run.done for jobs in self.runs.values() for job in jobs]
        return [point for point in every[0] if all(point in done for done in every)]

    @property
    def baseline(self) -> str:
        """The backend that the others are compared with."""
        return _BASELINE if _BASELINE in self.runs else next(iter(self.runs))

    @cached_property
    def agreements(self) -> dict[tuple[str, str], Agreement]:
        """How the labels of each backend and point compare with the baseline's."""
        first = self.runs[self.baseline][0].run
        return {
            (backend, point): agree(first, jobs[0].run, point)
            for backend, jobs in self.runs.items()
            for point in self.points
        }

    @cached_property
    def n_rows(self) -> int:
        """Number of rows that were clustered."""
        return len(self.runs[self.baseline][0].run.labels(self.points[0]))

    def rows(self) -> Iterator[Row]:
        """Yield the rows of ``speedup.csv``: of the whole grid first, then of every point."""
        yield from self.whole()
        for point in self.points:
            yield from self._rows(point, [point])

    def whole(self) -> Iterator[Row]:
        """Yield the rows of the whole grid, one per backend."""
        return self._rows("", self.points)

    def _rows(self, point: str, points: Sequence[str]) -> Iterator[Row]:
        baseline = self._series(self.baseline, points)
        for backend in self.runs:
            own = self._series(backend, points)
            if own.samples and baseline.samples:
                runs = [job.run for job in self.runs[backend]]
                agreement = overall([self.agreements[backend, point] for point in points])
                yield {
                    **self._about(point, len(points)),
                    **self._who(backend, points),
                    **_taken(own),
                    **_compared(baseline, own),
                    "ari": agreement.ari,
                    "inertia_ratio": agreement.inertia_ratio,
                    "n_identical": agreement.n_identical,
                    "same_each_round": same_each_round(runs, points),
                }

    def _series(self, backend: str, points: Sequence[str]) -> Series:
        return samples([(_round(job), job.run.timings) for job in self.runs[backend]], points)

    def _about(self, point: str, n_points: int) -> Row:
        experiment = self.experiment
        return {
            "name": experiment["name"],
            "algo": experiment["algo"]["name"],
            "features": experiment["features"]["name"],
            "overrides": self.overrides,
            "n_rows": self.n_rows,
            "point": point,
            "n_points": n_points,
        }

    def _who(self, backend: str, points: Sequence[str]) -> Row:
        fits = [row for job in self.runs[backend] for row in job.run.fits if row["point"] in points]
        ran = Counter(row["backend_ran"] for row in fits if row["backend_ran"])
        memory = [int(row["peak_rss_bytes"]) for row in fits if row["peak_rss_bytes"]]
        return {
            "backend": backend,
            "backend_ran": " ".join(ran),
            "baseline": self.baseline,
            "shared": any(row["shared"] == "true" for row in fits),
            "peak_rss_bytes": max(memory, default=None),
        }


def _taken(own: Series) -> Row:
    quality, best = own.best()
    seconds = [taken.wall_seconds for taken in best]
    return {
        "cold_seconds": own.cold.wall_seconds,
        "quality": quality,
        "median_seconds": median(seconds),
        "min_seconds": min(seconds),
        "max_seconds": max(seconds),
        "n_counted": len(best),
        "n_warm": len(own.warm),
        "n_dirty": sum(taken.dirty for taken in own.warm.values()),
        "other_load": max((t.other_load for t in best if t.other_load is not None), default=None),
    }


def _compared(baseline: Series, own: Series) -> Row:
    found = ratio(baseline, own)
    return {
        "speedup": found.median,
        "speedup_min": found.least,
        "speedup_max": found.most,
        "n_pairs": found.n_pairs,
        "pairs_quality": found.quality,
    }
