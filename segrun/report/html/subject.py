"""The run that a page is about, and what several sections need of it, computed once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun import config
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.seeds import generator
from segrun.segments.columns import titles
from segrun.segments.description import MEMBERS
from segrun.segments.segment import Segment, Segments

#: More segments than these are not shown one by one.
MOST_SEGMENTS = 40


@dataclass(frozen=True)
class Subject:
    """A finished run with its segments.

    Attributes
    ----------
    run : FinishedRun
        The run.
    segments : Segments or None
        None where no point was worth describing.
    """

    run: FinishedRun
    segments: Segments | None

    @property
    def point(self) -> str | None:
        """Slug of the point whose labels are shown."""
        return self.segments.point if self.segments else None

    @property
    def scores(self) -> Mapping[str, str]:
        """Row of ``scores.csv`` of the point that is shown; empty without one."""
        return next((row for row in self.run.scores if row["point"] == self.point), {})

    @property
    def shown(self) -> Sequence[Segment]:
        """The segments that are shown one by one."""
        return self.segments.segments[:MOST_SEGMENTS] if self.segments else ()

    @property
    def looks(self) -> list[tuple[int, str, str]]:
        """Number, name and colour of the segments that are shown one by one."""
        return [(s.number, s.name, s.colour) for s in self.shown]

    @property
    def rows_are(self) -> str:
        """What rows are: customers, of ratings users, or copies where the table was replicated."""
        if self.run.customers.replica is not None:
            return "rows"
        return "users" if isinstance(self.run.customers.columns, SparseColumns) else "customers"

    @property
    def seed(self) -> int:
        """The experiment's one seed."""
        return int(self.run.experiment["seed"])

    @cached_property
    def features(self) -> Mapping[str, NDArray[np.float64]]:
        """The numeric features in the units of the input, rows as they were clustered.

        Of ratings, whose columns are items, how many there are per row and their mean.
        """
        columns = self.run.customers.columns
        if isinstance(columns, SparseColumns):
            return _of_ratings(columns.matrix)
        called = self.titles
        return _AsFloats(
            {called.get(n, n): v for n, v in columns.items() if v.dtype.kind in "iufb"}
        )

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What to call a column instead of its name, as items have titles."""
        columns = self.run.customers.columns
        if not isinstance(columns, SparseColumns):
            return titles(config.from_plain(self.run.experiment).features)
        return dict(zip(columns, columns.catalogue.names(), strict=True))

    @cached_property
    def steps(self) -> Sequence[tuple[str, Any]]:
        """The fitted transformers in front of the algorithm."""
        point = self.point or next(iter(self.run.points), None)
        if point is not None and self.run.has_model(point):
            return list(self.run.model(point).steps[:-1])
        from segrun.features.transform import fit_transform

        settings = config.from_plain(self.run.experiment).transform
        return fit_transform(self.run.customers, settings, self.seed).steps

    @cached_property
    def Z(self) -> NDArray[np.float64]:  # noqa: N802 - the field's name for it
        """The matrix that was clustered."""
        return _dense(self._after(self.steps))

    @cached_property
    def transformed(self) -> Mapping[str, NDArray[np.float64]]:
        """The features after logarithm and scaling, as far as a column is a feature still."""
        before = [step for step in self.steps if not hasattr(step[1], "components_")]
        if not before or isinstance(self.run.customers.columns, SparseColumns):
            return {}
        found = self.Z if len(before) == len(self.steps) else _dense(self._after(before))
        if found.shape[1] != len(self.features):
            return {}
        return dict(zip(self.features, found.T, strict=True))

    def _after(self, steps: Sequence[tuple[str, Any]]) -> Any:
        found = self.run.customers.matrix()
        for _, step in steps:
            found = step.transform(found)
        return found

    @cached_property
    def labels(self) -> NDArray[np.int64] | None:
        """Labels of the point that is shown."""
        return None if self.point is None else self.run.labels(self.point)

    @cached_property
    def numbers(self) -> NDArray[np.int64] | None:
        """Segment number of every row that was clustered, -1 for none.

        As the description placed them, which can put noise into the nearest segment.
        """
        if self.segments is None or self.labels is None:
            return None
        members = self.run.columns(MEMBERS)
        customers = self.run.customers
        if "segment" in members:
            # Those that were set aside before come after those that were clustered.
            n_rows = len(customers)
            ids, numbers = next(iter(members.values()))[:n_rows], members["segment"][:n_rows]
            if np.array_equal(self.run.ids(ids), customers.ids):
                return np.asarray(numbers, dtype=np.int64)
        return self.segments.numbers(self.labels)

    def sample(self, most: int, part: str) -> NDArray[np.int64]:
        """Return the rows that a picture shows: all, or `most` of them, drawn by the seed."""
        n_rows = len(self.run.customers)
        if n_rows <= most:
            return np.arange(n_rows)
        rng = generator(self.seed, f"report {part}")
        return np.sort(rng.choice(n_rows, most, replace=False))

    def sampled(self, rows: NDArray[np.int64]) -> str:
        """Return what to say of a sample."""
        n_rows = len(self.run.customers)
        if len(rows) == n_rows:
            return f"All {n_rows:,} rows."
        return f"A random sample of {len(rows):,} of {n_rows:,} rows, drawn by the seed."


class _AsFloats(Mapping[str, NDArray[np.float64]]):
    """Columns as float64, converted when they are asked for: of many rows a copy is large."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return np.asarray(self._columns[name], dtype=np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _dense(matrix: Any) -> NDArray[np.float64]:
    found = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return np.ascontiguousarray(found, dtype=np.float64)


def _of_ratings(matrix: Any) -> dict[str, NDArray[np.float64]]:
    counts = np.diff(matrix.indptr).astype(np.float64)
    return {
        "ratings per user": counts,
        "mean rating": np.asarray(matrix.sum(axis=1)).ravel() / np.maximum(counts, 1),
    }
