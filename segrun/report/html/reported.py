"""The run that a page is about, and what several sections need of it, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Experiment, from_plain
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.seeds import generator
from segrun.segments.clustering import transformed
from segrun.segments.description import MEMBERS
from segrun.segments.profile import titles
from segrun.segments.segment import Segment, Segments

#: More segments than these are not shown one by one.
MOST_SEGMENTS = 40

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class ReportedRun:
    """A finished run with its segments; None where no point was worth describing."""

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

    def table(self, name: str) -> Rows:
        """Return a table of the description; empty without segments."""
        return self.run.table(f"segments/{name}.csv") if self.segments else []

    @property
    def rows_are(self) -> str:
        """What rows are: customers, of ratings users, or copies where the table was replicated."""
        if self.run.customers.replica is not None:
            return "rows"
        return "users" if isinstance(self.run.customers.columns, SparseColumns) else "customers"

    @cached_property
    def experiment(self) -> Experiment:
        """The configuration."""
        return from_plain(self.run.experiment)

    @cached_property
    def features(self) -> Mapping[str, NDArray[Any]]:
        """The numeric features in the units of the input, rows as they were clustered.

        Of ratings, whose columns are items, how many there are per row and their mean.
        """
        columns = self.run.customers.columns
        if not isinstance(columns, SparseColumns):
            numeric = {name: v for name, v in columns.items() if v.dtype.kind in "iufb"}
            return {self.titles.get(name, name): values for name, values in numeric.items()}
        counts = np.diff(columns.matrix.indptr).astype(np.float64)
        sums = np.asarray(columns.matrix.sum(axis=1)).ravel()
        return {"ratings per user": counts, "mean rating": sums / np.maximum(counts, 1)}

    def feature(self, name: str) -> NDArray[np.float64]:
        """Return a feature as float64, one at a time: of many rows a copy is large."""
        return np.asarray(self.features[name], dtype=np.float64)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What to call a column instead of its name, as items have titles."""
        columns = self.run.customers.columns
        if not isinstance(columns, SparseColumns):
            return titles(self.experiment.features)
        return dict(zip(columns, columns.catalogue.names(), strict=True))

    @cached_property
    def steps(self) -> Sequence[tuple[str, Any]]:
        """The fitted transformers in front of the algorithm."""
        point = self.point or next(iter(self.run.points), None)
        if point is not None and self.run.has_model(point):
            steps: Sequence[tuple[str, Any]] = self.run.model(point).steps[:-1]
            return steps
        from segrun.features.transform import fit_transform

        experiment = self.experiment
        return fit_transform(self.run.customers, experiment.transform, experiment.seed).steps

    @cached_property
    def Z(self) -> NDArray[np.float64]:  # noqa: N802 - the field's name for it
        """The matrix that was clustered."""
        return transformed(self.run.customers, self.steps)

    @cached_property
    def transformed(self) -> Mapping[str, NDArray[np.float64]]:
        """The features after logarithm and scaling, as far as a column is a feature still."""
        before = [step for step in self.steps if not hasattr(step[1], "components_")]
        if not before or isinstance(self.run.customers.columns, SparseColumns):
            return {}
        whole = len(before) == len(self.steps)
        found = self.Z if whole else transformed(self.run.customers, before)
        if found.shape[1] != len(self.features):
            return {}
        return dict(zip(self.features, found.T, strict=True))

    @cached_property
    def numbers(self) -> NDArray[np.int64] | None:
        """Segment number of every row that was clustered, -1 for none.

        As the description placed them, which can put noise into the nearest segment.
        """
        if self.segments is None:
            return None
        members = self.run.columns(MEMBERS)
        customers = self.run.customers
        if "segment" in members:
            # Those that were set aside before come after those that were clustered.
            n_rows = len(customers)
            ids, numbers = next(iter(members.values()))[:n_rows], members["segment"][:n_rows]
            if np.array_equal(self.run.ids(ids), customers.ids):
                return np.asarray(numbers, dtype=np.int64)
        return self.segments.numbers(self.run.labels(self.segments.point))

    def sample(self, most: int, part: str) -> NDArray[np.int64]:
        """Return the rows that a picture shows: all, or `most` of them, drawn by the seed."""
        n_rows = len(self.run.customers)
        if n_rows <= most:
            return np.arange(n_rows)
        rng = generator(self.experiment.seed, f"report {part}")
        return np.sort(rng.choice(n_rows, most, replace=False))

    def sampled(self, rows: NDArray[np.int64]) -> str:
        """Return what to say of a sample."""
        n_rows = len(self.run.customers)
        if len(rows) == n_rows:
            return f"All {n_rows:,} rows."
        return f"A random sample of {len(rows):,} of {n_rows:,} rows, drawn by the seed."
