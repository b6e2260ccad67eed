"""``segrun compare``: finished runs side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.formats import number, table
from segrun.report.sweep import matrix_of
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.clustering import chosen_point
from segrun.segments.segment import NOISE, Segments, segments_of

#: Who a row is about: id, and number of the copy where the run was augmented.
Key = tuple[str, int]


@dataclass(frozen=True)
class Side:
    """A run that is compared."""

    letter: str  #: What the comparison calls it
    run: FinishedRun  #: The run
    point: str  #: Slug of its grid point

    @property
    def scores(self) -> Mapping[str, str]:
        """The point's row of ``scores.csv``."""
        return self.run.done[self.point]

    @cached_property
    def segments(self) -> Segments | None:
        """The described segments, None where the point is not described."""
        return segments_of(self.run, self.point)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Segment of every clustered row, noise -1."""
        labels = self.run.labels(self.point)
        return labels if self.segments is None else self.segments.numbers(labels)

    @cached_property
    def rows(self) -> dict[Key, int]:
        """Number of the row of every customer."""
        customers = self.run.customers
        replica = customers.replica if customers.replica is not None else np.zeros(len(customers))
        keys = zip(customers.ids, replica.astype(int).tolist(), strict=True)
        return {key: row for row, key in enumerate(keys)}

    @cached_property
    def sizes(self) -> Mapping[int, int]:
        """Clustered rows of every segment, in order, noise last."""
        counts = Counter(self.numbers.tolist())
        return {n: counts[n] for n in sorted(counts, key=lambda n: (n == NOISE, n))}

    def title(self, number: int) -> str:
        """Return number and name of a segment."""
        if number == NOISE:
            return "noise"
        name = self.segments.name(number) if self.segments else ""
        return f"{number} {name}".strip()


@dataclass(frozen=True)
class Pair:
    """How two sides agree on the customers that both clustered."""

    one: Side  #: The runs
    other: Side
    n_common: int  #: Rows that both have
    #: Adjusted Rand index over them: 1 for the same segments under any numbers, 0 for what chance
    #: gives; noise counts as one more segment.
    ari: float
    counts: Mapping[tuple[int, int], int]  #: Rows by segment here and there


def open_side(letter: str, path: Path, point: str | None) -> Side:
    """Open a run of a comparison."""
    run = open_run(path)
    return Side(letter, run, chosen_point(run, point))


def pair(one: Side, other: Side) -> Pair:
    """Compare the segments of two runs."""
    common = [key for key in one.rows if key in other.rows]
    _check_common(one, other, len(common))
    here = one.numbers[[one.rows[key] for key in common]]
    there = other.numbers[[other.rows[key] for key in common]]
    # Late: scikit-learn takes over a second to import.
    from sklearn.metrics import adjusted_rand_score

    counts = Counter(zip(here.tolist(), there.tolist(), strict=True))
    return Pair(one, other, len(common), float(adjusted_rand_score(here, there)), counts)


def _check_common(one: Side, other: Side, n_common: int) -> None:
    copies = [side for side in (one, other) if side.run.customers.replica is not None]
    if len(copies) == 1:
        raise StoreError(
            f"{copies[0].run.path} clustered copies of its customers (augmentation), the other "
            "did not: compare runs of equal augmentation"
        )
    if n_common < 2:
        shown = ", ".join(str(next(iter(side.rows))[0]) for side in (one, other))
        raise StoreError(
            f"{one.run.path} and {other.run.path} cannot be compared: they have {n_common} "
            f"customers in common. Their ids are such as {shown}"
        )


def differences(values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the keys of nested settings whose values differ, with the value of each.

    A key that one lacks has the value None there.
    """
    flat = [dict(_flat(one, "")) for one in values]
    keys = dict.fromkeys(key for one in flat for key in one)
    found = {key: [one.get(key) for one in flat] for key in keys}
    return {key: row for key, row in found.items() if any(value != row[0] for value in row)}


def _flat(values: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


#: Columns of scores.csv that are shown, where some run has them.
_SCORES = (
    "n_clusters", "silhouette", "silhouette_se", "davies_bouldin", "calinski_harabasz", "inertia",
    "noise_share", "smallest_share", "largest_share", "n_iter",
)  # fmt: skip

#: A table with more segments is no help on a terminal.
_MAX_SHOWN = 15
_MAX_LETTERS = 40


def compare(sides: Sequence[Side]) -> str:
    """Return the comparison as text."""
    pairs = [pair(one, other) for one, other in combinations(sides, 2)]
    parts = [
        table([(side.letter, str(side.run.path), side.point) for side in sides]),
        _titled("different settings", _settings(sides)),
        _titled(_scores_of(sides), _scores(sides)),
        _titled("sizes of the segments", _sizes(sides)),
        _titled("agreement on the customers that both clustered", _agreement(pairs)),
        # Of many runs, the first is what the others are held against.
        *[_titled(*_crossed(p)) for p in pairs if p.one is sides[0]],
        _titled("wall seconds by stage, all points together", _timings(sides)),
    ]
    return "\n\n".join(parts)


def _titled(title: str, rows: Sequence[Sequence[str]]) -> str:
    return f"{title}\n{table(rows)}" if len(rows) > 1 else f"{title}\nnone"


def _letters(sides: Iterable[Side]) -> list[str]:
    return [side.letter for side in sides]


def _settings(sides: Sequence[Side]) -> list[Sequence[str]]:
    found = differences([side.run.experiment for side in sides])
    rows = [[key, *map(_clipped, values)] for key, values in found.items()]
    return [["key", *_letters(sides)], *rows]


def _clipped(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MAX_LETTERS else f"{text[: _MAX_LETTERS - 3]}..."


def _scores_of(sides: Sequence[Side]) -> str:
    title = "scores of the points"
    matrices = {matrix_of(side.run.manifest, side.run.experiment) for side in sides}
    if len(matrices) == 1:
        return title
    return f"{title} (of other rows, features or transforms: silhouettes cannot be compared)"


def _scores(sides: Sequence[Side]) -> list[Sequence[str]]:
    rows = [[name, *(number(side.scores.get(name), 4) for side in sides)] for name in _SCORES]
    return [["", *_letters(sides)], *(row for row in rows if any(row[1:]))]


def _sizes(sides: Sequence[Side]) -> list[Sequence[str]]:
    columns = []
    for side in sides:
        n_rows = sum(side.sizes.values())
        cells = [f"{side.title(n)}: {k} ({k / n_rows:.1%})" for n, k in side.sizes.items()]
        columns.append([side.letter, *_shortened(cells)])
    return list(zip_longest(*columns, fillvalue=""))


def _shortened(cells: list[str]) -> list[str]:
    more = len(cells) - _MAX_SHOWN
    return [*cells[:_MAX_SHOWN], f"and {more} more"] if more > 0 else cells


def _agreement(pairs: Sequence[Pair]) -> list[Sequence[str]]:
    rows = [
        (
            f"{p.one.letter} {p.other.letter}",
            f"{p.n_common} of {len(p.one.rows)} and {len(p.other.rows)}",
            f"{p.ari:.4f}",
        )
        for p in pairs
    ]
    return [("runs", "customers in common", "adjusted Rand index"), *rows]


def _crossed(found: Pair) -> tuple[str, list[Sequence[str]]]:
    """Return a table of customers by segment of the one run (rows) and of the other (columns)."""
    title = f"customers by segment of {found.one.letter} (rows) and {found.other.letter}"
    numbers = [
        sorted({key[i] for key in found.counts}, key=lambda n: (n == NOISE, n)) for i in (0, 1)
    ]
    if max(map(len, numbers)) > _MAX_SHOWN:
        return f"{title}: too many to show ({len(numbers[0])}, {len(numbers[1])})", []
    head = [f"{found.one.letter} \\ {found.other.letter}", *map(found.other.title, numbers[1])]
    rows = [
        [found.one.title(n), *(str(found.counts.get((n, m), 0)) for m in numbers[1])]
        for n in numbers[0]
    ]
    return title, [head, *rows]


def _timings(sides: Sequence[Side]) -> list[Sequence[str]]:
    seconds = []
    for side in sides:
        sums: defaultdict[str, float] = defaultdict(float)
        for row in side.run.timings:
            sums[row["stage"]] += float(row["wall_seconds"])
        seconds.append(sums)
    stages = list(dict.fromkeys(stage for sums in seconds for stage in sums))
    rows = [[s, *(f"{sums[s]:.2f}" if s in sums else "" for sums in seconds)] for s in stages]
    backends = [_backends(side) for side in sides]
    return [["stage", *_letters(sides)], *rows, ["fitted by", *backends]]


def _backends(side: Side) -> str:
    return " ".join(sorted({row["backend_ran"] or "failed" for row in side.run.fits}))
