"""How backends compare in one sweep: how fast each was, and whether the clusters are the same."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from segrun.config import Effect, values_with
from segrun.formats import number, table
from segrun.report.samples import DIRTY_CORES, Series, ratio, samples
from segrun.report.sweep import JobResult
from segrun.rundir.atomic import write_atomically
from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import labels_name, write_csv

#: What the others are compared with, where it is there.
_BASELINE = "onedal"
#: What all runs over one grid have in common, but for the backend and the round.
_ALIKE = {Effect.DATA, Effect.LABELS, Effect.SCORES, Effect.TIMINGS, Effect.COST}
_HEADER = ("backend", "ran", "cold s", "warm s", "spread", "counted", "speed-up", "spread",
           "ARI", "inertia ratio", "same labels", "peak MB")  # fmt: skip
_NOTES = {
    "dirty": f"* no clean sample: other processes kept more than {DIRTY_CORES} cores busy, or jobs "
    "ran side by side",
    "cold": "** cold: there is no warm sample; take more rounds (timing.round=0,1,2,3)",
}
_MARKS = {"clean": "", "dirty": " *", "cold": " **", "": ""}
#: Distributions whose versions times depend on.
_FITTERS = ("segrun", "scikit-learn", "scikit-learn-intelex")

Row = dict[str, Any]


@dataclass(frozen=True)
class Agreement:
    """How the labels of one point compare with the baseline's.

    `ari` is the adjusted Rand index: 1 for the same clusters under any numbers, noise counting as
    one more cluster. `inertia_ratio` is the inertia by that of the baseline, where there is one.
    """

    ari: float
    inertia_ratio: float | None
    identical: bool


def agree(baseline: FinishedRun, other: FinishedRun, point: str) -> Agreement:
    """Compare the labels of one point with the baseline's."""
    one, two = baseline.done[point]["inertia"], other.done[point]["inertia"]
    inertia_ratio = float(two) / float(one) if one and two and float(one) else None
    if _digest(baseline, point) == _digest(other, point):
        return Agreement(1.0, inertia_ratio, identical=True)
    # Late: scikit-learn takes over a second to import.
    from sklearn.metrics import adjusted_rand_score

    first, second = baseline.labels(point), other.labels(point)
    ari = float(adjusted_rand_score(first, second))
    return Agreement(ari, inertia_ratio, identical=bool((first == second).all()))


def _digest(run: FinishedRun, point: str) -> str:
    """Return the digest of a point's label file: equal files hold equal labels."""
    return run.files[labels_name(point)]


@dataclass(frozen=True)
class Comparison:
    """One grid over the same data, fitted by several backends or in several rounds.

    `experiment` is what its runs have in common, as one of them has it; `overrides` what tells it
    from the sweep's other grids; `jobs` are by backend asked for, in order.
    """

    experiment: Mapping[str, Any]
    overrides: str
    jobs: dict[str, list[JobResult]] = field(default_factory=dict)

    @cached_property
    def points(self) -> list[str]:
        """The points that came to labels in every run: others are no common work."""
        every = [job.run.done for jobs in self.jobs.values() for job in jobs]
        return [point for point in every[0] if all(point in done for done in every)]

    @property
    def baseline(self) -> str:
        """The backend that the others are compared with."""
        return _BASELINE if _BASELINE in self.jobs else next(iter(self.jobs))

    @property
    def first(self) -> FinishedRun:
        """The first run of the baseline."""
        return self.jobs[self.baseline][0].run

    @cached_property
    def agreements(self) -> dict[tuple[str, str], Agreement]:
        """How the labels of each backend and point compare with the baseline's."""
        return {
            (backend, point): agree(self.first, jobs[0].run, point)
            for backend, jobs in self.jobs.items()
            for point in self.points
        }

    @cached_property
    def n_rows(self) -> int:
        """Number of rows that were clustered."""
        return len(self.first.labels(self.points[0]))

    def rows(self) -> Iterator[Row]:
        """Yield the rows of ``speedup.csv``: of the whole grid first, then of every point."""
        yield from self.whole()
        for point in self.points:
            yield from self._rows(point, [point])

    def whole(self) -> Iterator[Row]:
        """Yield the rows of the whole grid, one per backend."""
        return self._rows("", self.points)

    def _rows(self, point: str, points: Sequence[str]) -> Iterator[Row]:
        experiment = self.experiment
        series = {
            backend: samples([(_round(job), job.run.timings) for job in jobs], points)
            for backend, jobs in self.jobs.items()
        }
        for backend, own in series.items():
            if own.samples and series[self.baseline].samples:
                yield {
                    "name": experiment["name"],
                    "algo": experiment["algo"]["name"],
                    "features": experiment["features"]["name"],
                    "overrides": self.overrides,
                    "n_rows": self.n_rows,
                    "point": point,
                    "n_points": len(points),
                    **self._ran(backend, points),
                    **_times(own, series[self.baseline]),
                    **self._agreement(backend, points),
                }

    def _ran(self, backend: str, points: Sequence[str]) -> Row:
        fits = [row for job in self.jobs[backend] for row in job.run.fits if row["point"] in points]
        memory = [int(row["peak_rss_bytes"]) for row in fits if row["peak_rss_bytes"]]
        ran = dict.fromkeys(row["backend_ran"] for row in fits if row["backend_ran"])
        return {
            "backend": backend,
            "backend_ran": " ".join(ran),
            "baseline": self.baseline,
            "shared": any(row["shared"] == "true" for row in fits),
            "peak_rss_bytes": max(memory, default=None),
        }

    def _agreement(self, backend: str, points: Sequence[str]) -> Row:
        """Return what several points have in common: the worst of each."""
        found = [self.agreements[backend, point] for point in points]
        ratios = [one.inertia_ratio for one in found if one.inertia_ratio is not None]
        digests = [{_digest(job.run, point) for job in self.jobs[backend]} for point in points]
        return {
            "ari": min(one.ari for one in found),
            "inertia_ratio": max(ratios, key=lambda ratio: abs(ratio - 1), default=None),
            "n_identical": sum(one.identical for one in found),
            "same_each_round": all(len(own) == 1 for own in digests),
        }


def _times(own: Series, baseline: Series) -> Row:
    quality, best = own.best()
    seconds = [taken.wall_seconds for taken in best]
    speedup = ratio(baseline, own)
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
        "speedup": speedup.median,
        "speedup_min": speedup.least,
        "speedup_max": speedup.most,
        "n_pairs": speedup.n_pairs,
        "pairs_quality": speedup.quality,
    }


def comparisons(jobs: Sequence[JobResult]) -> list[Comparison]:
    """Return the grids that several backends have fitted, or one in several rounds."""
    if len({_backend(job) for job in jobs if job.experiment}) < 2 and not any(map(_round, jobs)):
        return []
    found: dict[str, Comparison] = {}
    common = set.intersection(*(set(job.overrides.split()) for job in jobs))
    for job in jobs:
        if not job.experiment or job.manifest()["status"] not in ("done", "incomplete"):
            continue
        new = Comparison(job.experiment, _own(job, common))
        grid = found.setdefault(_alike(job.experiment), new)
        grid.jobs.setdefault(_backend(job), []).append(job)
    several = [grid for grid in found.values() if sum(map(len, grid.jobs.values())) > 1]
    return [grid for grid in several if grid.points]


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


def _own(job: JobResult, common: Collection[str]) -> str:
    """Return what tells a grid from the others: not what all have, nor what varies within it."""
    free = ("backend", "store.", "sweep.", "timing.round")
    words = [word for word in job.overrides.split() if word not in common]
    return " ".join(word for word in words if not word.startswith(free))


def write_speedup(sweep: Path, jobs: Sequence[JobResult]) -> str:
    """Write ``speedup.csv`` where there is something to compare, and return its page as text."""
    found = comparisons(jobs)
    if found:
        rows = [row for grid in found for row in grid.rows()]
        write_atomically(sweep / "speedup.csv", lambda path: write_csv(path, rows))
    return _page(found)


def _page(found: Sequence[Comparison]) -> str:
    parts, qualities = [], set()
    for grid in found:
        rows = list(grid.whole())
        if rows:
            qualities |= {row[name] for row in rows for name in ("quality", "pairs_quality")}
            parts.append(f"{_title(grid)}\n{table([_HEADER, *map(_line, rows)])}")
    if not parts:
        return ""
    notes = [note for quality, note in _NOTES.items() if quality in qualities]
    return "\n".join(["\n\n".join(parts), *notes, _machine(found[0])])


def _machine(grid: Comparison) -> str:
    found = grid.first.environment
    versions = [f"{name} {version}" for name, version in found.get("versions", {}).items()
                if name in _FITTERS]  # fmt: skip
    return f"on {found.get('cpu')}, {found.get('usable_cores')} cores, {', '.join(versions)}"


def _title(grid: Comparison) -> str:
    algo = grid.experiment["algo"]
    centres = ", shared starting centres" if algo.get("shared_centres") else ""
    where = f" ({grid.overrides})" if grid.overrides else ""
    return f"{algo['name']}: {len(grid.points)} points over {grid.n_rows:,} rows{centres}{where}"


def _line(row: Row) -> tuple[str, ...]:
    compared = ("baseline", *[""] * 4) if row["backend"] == row["baseline"] else _compared(row)
    peak = row["peak_rss_bytes"]
    return (
        row["backend"],
        row["backend_ran"],
        number(row["cold_seconds"], 3),
        number(row["median_seconds"], 3) + _MARKS[row["quality"]],
        f"{number(row['min_seconds'], 3)} - {number(row['max_seconds'], 3)}",
        f"{row['n_counted']}, {row['n_dirty']} of {row['n_warm']} dirty",
        *compared,
        "" if peak is None else f"{peak / 1e6:.0f}",
    )


def _compared(row: Row) -> tuple[str, ...]:
    fast = row["speedup"] is not None
    return (
        f"{row['speedup']:.2f}x{_MARKS[row['pairs_quality']]}" if fast else "no pair",
        f"{row['speedup_min']:.2f} - {row['speedup_max']:.2f}" if fast else "",
        f"{row['ari']:.4f}",
        "" if row["inertia_ratio"] is None else f"{row['inertia_ratio']:.6f}",
        f"{row['n_identical']} of {row['n_points']}",
    )
