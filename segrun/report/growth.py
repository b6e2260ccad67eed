"""How time and memory grow with the rows: of one grid over tables of several sizes."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from segrun.config import Effect, values_with
from segrun.formats import number, table
from segrun.report.sweep import JobResult
from segrun.rundir.atomic import write_atomically, write_bytes
from segrun.rundir.finished import FinishedRun
from segrun.rundir.store import write_csv

#: Sizes that make a curve.
_FEWEST_SIZES = 3
#: The largest sizes, which the exponent is of: small tables take what calls take.
_LARGEST_SIZES = 3
#: Stages whose cost is the rows'.
_STAGES = ("fit", "evaluate")
#: What runs of one curve have in common, but for the number of rows.
_ALIKE = {Effect.DATA, Effect.LABELS, Effect.SCORES, Effect.COST}


@dataclass(frozen=True)
class Size:
    """What one stage took for one number of rows: medians over `n_runs` runs.

    The first run of a process is left out where it can be. `basis` says how the rows were scored;
    empty for fits.
    """

    n_rows: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int | None
    n_runs: int
    basis: str = ""


@dataclass(frozen=True)
class Curve:
    """One stage of one grid over several sizes, the smallest first."""

    algo: str
    backend: str
    stage: str
    n_points: int
    sizes: Sequence[Size]

    @property
    def name(self) -> str:
        """What pictures and tables call it."""
        return f"{self.algo} {self.stage} ({self.backend}, {self.n_points} points)"

    def exponent(self) -> float | None:
        """Return the slope of time on logarithmic axes, over the three largest sizes.

        1 for what grows with the rows, 2 for what grows with their square.
        """
        last = [size for size in self.sizes if size.wall_seconds][-_LARGEST_SIZES:]
        if len(last) < 2:
            return None
        x = [math.log(size.n_rows) for size in last]
        y = [math.log(size.wall_seconds) for size in last]
        return linear_regression(x, y).slope

    def bytes_per_row(self) -> float | None:
        """Return the memory that each further row takes, between the smallest and largest table."""
        known = [(s.n_rows, s.peak_rss_bytes) for s in self.sizes if s.peak_rss_bytes is not None]
        if len(known) < 2:
            return None
        (few, low), (many, high) = known[0], known[-1]
        return (high - low) / (many - few)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of ``growth.csv``; an exponent is that since the size before."""
        slopes = [None, *(_slope(one, two) for one, two in pairwise(self.sizes))]
        for size, slope in zip(self.sizes, slopes, strict=True):
            yield {
                **{name: value for name, value in vars(self).items() if name != "sizes"},
                **vars(size),
                "exponent": slope,
            }


def _slope(one: Size, two: Size) -> float | None:
    if not (one.wall_seconds and two.wall_seconds):
        return None
    return math.log(two.wall_seconds / one.wall_seconds) / math.log(two.n_rows / one.n_rows)


def curves(jobs: Sequence[JobResult]) -> list[Curve]:
    """Return the curves of a sweep: of every grid that ran over at least three sizes."""
    found: dict[str, dict[int, list[FinishedRun]]] = defaultdict(lambda: defaultdict(list))
    for job in jobs:
        if job.experiment and job.manifest()["status"] == "done":
            found[_alike(job.experiment)][_n_rows(job.run)].append(job.run)
    several = [by_size for by_size in found.values() if len(by_size) >= _FEWEST_SIZES]
    return [_curve(by_size, stage) for by_size in several for stage in _STAGES]


def _alike(experiment: Mapping[str, Any]) -> str:
    about = {**values_with(experiment, _ALIKE), "augmentation": None}
    return json.dumps(about, sort_keys=True, default=repr)


def _curve(by_size: Mapping[int, Sequence[FinishedRun]], stage: str) -> Curve:
    first = next(iter(by_size.values()))[0]
    experiment = first.experiment
    return Curve(
        experiment["algo"]["name"], experiment["backend"]["name"], stage, len(first.done),
        [_size(n_rows, by_size[n_rows], stage) for n_rows in sorted(by_size)],
    )  # fmt: skip


def _n_rows(run: FinishedRun) -> int:
    copies = run.experiment["augmentation"]
    if copies["rows"]:
        return int(copies["rows"])
    return int(run.manifest["features"]["clustered"]) * int(copies["factor"] or 1)


def _size(n_rows: int, runs: Sequence[FinishedRun], stage: str) -> Size:
    tables = [[row for row in run.timings if row["stage"] == stage] for run in runs]
    warm = [rows for rows in tables if not any(row["cold"] == "true" for row in rows)] or tables
    memory = [int(row["peak_rss_bytes"]) for rows in warm for row in rows if row["peak_rss_bytes"]]
    return Size(
        n_rows,
        median(sum(float(row["wall_seconds"]) for row in rows) for rows in warm),
        median(sum(float(row["cpu_seconds"]) for row in rows) for rows in warm),
        max(memory, default=None),
        len(warm),
        _basis(runs[0]) if stage == "evaluate" else "",
    )


def _basis(run: FinishedRun) -> str:
    sampled = [row for row in run.done.values() if row["silhouette_se"]]
    return f"silhouettes of {sampled[0]['silhouette_rows'] if sampled else 'all'} rows"


def write_growth(sweep: Path, jobs: Sequence[JobResult]) -> str:
    """Write ``growth.csv`` and ``growth.png`` where there are curves; return a table as text."""
    found = curves(jobs)
    if not found:
        return ""
    from segrun.report.pictures.canvas import png
    from segrun.report.pictures.lines import draw_growth

    rows = [row for curve in found for row in curve.rows()]
    write_atomically(sweep / "growth.csv", lambda path: write_csv(path, rows))
    write_bytes(sweep / "growth.png", png(draw_growth(found)))
    header = ("growth", "rows", "seconds", "exponent of time", "bytes a row")
    return table([header, *map(_line, found)])


def _line(curve: Curve) -> tuple[str, ...]:
    first, last = curve.sizes[0], curve.sizes[-1]
    slope, memory = curve.exponent(), curve.bytes_per_row()
    return (
        curve.name,
        f"{first.n_rows:,} - {last.n_rows:,}",
        f"{number(first.wall_seconds, 3)} - {number(last.wall_seconds, 3)}",
        "" if slope is None else f"{slope:.2f}",
        "" if memory is None else f"{memory:,.0f}",
    )
