"""The segments of a described run: numbers, names and colours that everything shows alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.rundir.finished import FinishedRun

#: Where a described run keeps its segments; tables of them stand beside it.
SEGMENTS = "segments/segments.json"
#: Number of the rows that are in no cluster, and of outliers that are a segment of their own.
NOISE = -1

#: Told apart by colour-blind people too: M. Okabe, K. Ito, "Color universal design" (2008), the
#: yellow darkened for white paper, and P. Tol's muted scheme (2021) after them.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#332288",
    "#44AA99", "#882255", "#999933", "#AA4499", "#117733", "#661100", "#6699CC", "#888888",
)  # fmt: skip
NOISE_COLOUR = "#BBBBBB"
#: Segments that the terminal shows.
_SHOWN = 30


@dataclass(frozen=True)
class Segment:
    """One segment."""

    number: int  # from 0 in canonical order; -1 for outliers, where these are a segment
    label: int  # what the algorithm called it
    name: str  # unique within the run
    size: int  # customers in it
    share: float  # of all customers that are in a segment, -1 included
    colour: str  # `#rrggbb`, the same in every picture
    medoids: Sequence[str] = ()  # ids of the customers nearest to its mean, the nearest first
    flags: Sequence[str] = ()  # what is odd about it, in words


@dataclass(frozen=True)
class Segments:
    """The segments of one grid point of a run."""

    point: str  # slug of the grid point
    segments: Sequence[Segment]  # in canonical order; -1 last
    outliers: str = "drop"  # what became of noise and of what the outlier rule had set aside
    warnings: Sequence[Mapping[str, str]] = field(default_factory=list)  # `kind` and `text` each

    def numbers(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the segment numbers of labels of the algorithm; -1 for those of no segment."""
        known = {s.label: s.number for s in self.segments}
        found, where = np.unique(labels, return_inverse=True)
        table = np.array([known.get(int(label), NOISE) for label in found], dtype=np.int64)
        return table[where] if len(found) else labels.astype(np.int64)

    def name(self, number: int) -> str:
        """Return the name of a segment; empty for rows that are in none."""
        return next((s.name for s in self.segments if s.number == number), "")

    def to_json(self) -> dict[str, Any]:
        """Return what ``segments.json`` holds."""
        return asdict(self)


def is_described(run: FinishedRun) -> bool:
    """Tell whether a run has its segments."""
    return run.has(SEGMENTS)


def segments_of(run: FinishedRun, point: str) -> Segments | None:
    """Return the segments of a point, None where the run describes none or another one."""
    found = read_segments(run) if is_described(run) else None
    return found if found is not None and found.point == point else None


def read_segments(run: FinishedRun) -> Segments:
    """Return the segments of a run; StoreError if it was not described yet."""
    if not is_described(run):
        raise StoreError(f"{run.path} has no segments yet: segrun describe {run.path}")
    found = run.json(SEGMENTS)
    segments = [Segment(**segment) for segment in found["segments"]]
    return Segments(found["point"], segments, found["outliers"], found["warnings"])


def page(run: FinishedRun, segments: Segments) -> str:
    """Return number, name, size and the strongest fact of every segment, a line each."""
    # Late: commands that show no table need none of it.
    from segrun.features.removed import left_out
    from segrun.formats import counted, percent, table

    rows = [("segment", "name", "customers", "share", "known by")]
    first = {row["segment"]: row["text"] for row in reversed(run.table("segments/facts.csv"))}
    for segment in segments.segments[:_SHOWN]:
        fact = first.get(str(segment.number), "")
        share = percent(segment.share)
        rows.append((str(segment.number), segment.name, f"{segment.size:,}", share, fact))
    count = len(segments.segments)
    more = f"... and {count - _SHOWN} more" if count > _SHOWN else ""
    title = f"{segments.point}, {counted(count, 'segment')}"
    return "\n".join(filter(None, (title, table(rows), more, left_out(run.manifest))))
