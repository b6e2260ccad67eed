"""One run of a comparison: its point, its customers and their segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.clustering import chosen_point
from segrun.segments.segment import NOISE, Segments, is_described, read_segments

#: Who a row is about: id, and number of the copy where the run was augmented.
Key = tuple[str, int]


@dataclass(frozen=True)
class Side:
    """A run that is compared.

    Attributes
    ----------
    letter : str
        What the comparison calls it.
    run : FinishedRun
        The run.
    point : str
        Slug of its grid point.
    """

    letter: str
    run: FinishedRun
    point: str

    @property
    def scores(self) -> Mapping[str, str]:
        """The point's row of ``scores.csv``."""
        return self.run.done[self.point]

    @cached_property
    def segments(self) -> Segments | None:
        """The described segments, None where the point is not described."""
        found = read_segments(self.run) if is_described(self.run) else None
        return found if found is not None and found.point == self.point else None

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
    """How two sides agree on the customers that both clustered.

    Attributes
    ----------
    one, other : Side
        The runs.
    n_common : int
        Rows that both have.
    ari : float
        Adjusted Rand index over them: 1 for the same segments under any numbers, 0 for what
        chance gives; noise counts as one more segment.
    counts : mapping of (int, int) to int
        Rows by segment here and there.
    """

    one: Side
    other: Side
    n_common: int
    ari: float
    counts: Mapping[tuple[int, int], int]


def open_side(letter: str, path: Path, point: str | None) -> Side:
    """Open a run of a comparison.

    Raises
    ------
    StoreError
        If it is no finished run, or has no such point.
    """
    run = open_run(path)
    return Side(letter, run, chosen_point(run, point))


def pair(one: Side, other: Side) -> Pair:
    """Compare the segments of two runs.

    Raises
    ------
    StoreError
        If they have not two rows in common.
    """
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
