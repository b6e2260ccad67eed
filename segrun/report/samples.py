"""What a benchmark has measured: how long each backend took for the same grid, each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

#: A sample is dirty if other processes kept more than this many cores busy meanwhile.
DIRTY_CORES = 0.25
#: What samples are worth, the best first: those of a lower one count if there is nothing else.
QUALITIES = ("clean", "dirty", "cold")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """One backend's fits of one point, or of the whole grid, taken in one go.

    `other_load` is how many cores other processes kept busy meanwhile, None if nobody knows;
    `cold` whether a fit was the first of its kind in its process; `side_by_side` whether other
    jobs of the sweep could run at the same time.
    """

    wall_seconds: float
    other_load: float | None
    cold: bool
    side_by_side: bool

    @property
    def dirty(self) -> bool:
        """Whether other work on the machine may have made it slower."""
        return self.side_by_side or (self.other_load or 0.0) > DIRTY_CORES


def sample(rows: Sequence[Row]) -> Sample:
    """Return the sample that rows of ``timings.csv`` make, all of fits."""
    known = [row for row in rows if row["other_load"]]
    whole = sum(float(row["wall_seconds"]) for row in known)
    load = sum(float(row["other_load"]) * float(row["wall_seconds"]) for row in known)
    return Sample(
        wall_seconds=sum(float(row["wall_seconds"]) for row in rows),
        other_load=load / whole if whole else None,
        cold=any(row["cold"] == "true" for row in rows),
        side_by_side=any(int(row["n_parallel"]) > 1 for row in rows),
    )


@dataclass(frozen=True)
class Series:
    """All samples of one backend by round and repeat, in order; the first one is cold."""

    samples: Mapping[tuple[int, int], Sample]

    @property
    def cold(self) -> Sample:
        """The first sample."""
        return next(iter(self.samples.values()))

    @property
    def warm(self) -> dict[tuple[int, int], Sample]:
        """All samples but the first one, and but those with a cold fit in them."""
        later = list(self.samples.items())[1:]
        return {when: taken for when, taken in later if not taken.cold}

    def of(self, quality: str) -> dict[tuple[int, int], Sample]:
        """Return the samples of a quality: clean (warm), dirty (all warm ones), cold (all)."""
        if quality == "cold":
            return dict(self.samples)
        return {w: taken for w, taken in self.warm.items() if quality == "dirty" or not taken.dirty}

    def best(self) -> tuple[str, list[Sample]]:
        """Return the best quality that there are samples of, and those."""
        return next((q, list(self.of(q).values())) for q in QUALITIES if self.of(q))


@dataclass(frozen=True)
class Ratio:
    """How many times faster one backend was than another, over the pairs of one round each.

    `quality` is the worse of the two sides; without a pair it is empty and the rest None.
    """

    median: float | None = None
    least: float | None = None
    most: float | None = None
    n_pairs: int = 0
    quality: str = ""


def ratio(baseline: Series, other: Series) -> Ratio:
    """Return how many times faster `other` was than `baseline`.

    Clean pairs alone count where there are any, then warm ones, then the cold one.
    """
    for quality in QUALITIES:
        one, two = baseline.of(quality), other.of(quality)
        found = [
            one[when].wall_seconds / two[when].wall_seconds
            for when in one
            if when in two and two[when].wall_seconds > 0
        ]
        if found:
            return Ratio(median(found), min(found), max(found), len(found), quality)
    return Ratio()


def samples(runs: Iterable[tuple[int, Sequence[Row]]], points: Iterable[str]) -> Series:
    """Return one backend's samples of these points, from round and timings of each run."""
    counted, found = set(points), {}
    for number, table in runs:
        by_repeat: dict[int, dict[str, Row]] = defaultdict(dict)
        for row in table:
            if row["stage"] == "fit" and row["backend_ran"] and row["point"] in counted:
                # The last attempt counts.
                by_repeat[int(row["repeat"])][row["point"]] = row
        for repeat, rows in sorted(by_repeat.items()):
            # A sum over fewer points is no time of the same work.
            if rows.keys() == counted:
                found[number, repeat] = sample(list(rows.values()))
    return Series(found)
