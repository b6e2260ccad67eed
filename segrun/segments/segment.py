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


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes
    ----------
    number : int
        From 0 in canonical order; -1 for noise and outliers, where these are a segment.
    label : int
        What the algorithm called it.
    name : str
        What people call it; unique within the run.
    size : int
        Customers in it.
    share : float
        Of all customers that are in a segment, -1 included.
    colour : str
        ``#rrggbb``, the same in every picture.
    medoids : sequence of str
        Ids of the customers nearest to its middle, the nearest first.
    flags : sequence of str
        What is odd about it, in words.
    """

    number: int
    label: int
    name: str
    size: int
    share: float
    colour: str
    medoids: Sequence[str] = ()
    flags: Sequence[str] = ()


@dataclass(frozen=True)
class Segments:
    """The segments of one grid point of a run.

    Attributes
    ----------
    point : str
        Slug of the grid point.
    segments : sequence of Segment
        In canonical order; -1 last.
    outliers : {"drop", "keep", "own"}
        What became of noise and of customers that the outlier rule had set aside.
    warnings : sequence of mapping
        ``kind`` and ``text`` of everything that makes the segments less than they look.
    """

    point: str
    segments: Sequence[Segment]
    outliers: str = "drop"
    warnings: Sequence[Mapping[str, str]] = field(default_factory=list)

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


def read_segments(run: FinishedRun) -> Segments:
    """Return the segments of a run.

    Raises
    ------
    StoreError
        If it was not described yet.
    """
    if not is_described(run):
        raise StoreError(f"{run.path} has no segments yet: segrun describe {run.path}")
    found = run.json(SEGMENTS)
    return Segments(
        found["point"],
        [Segment(**segment) for segment in found["segments"]],
        found["outliers"],
        found["warnings"],
    )
