"""From new rows to segments: outliers and noise by the policy, numbers and names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Outliers, from_plain
from segrun.errors import DataError
from segrun.features.built import Bounds, bounds_of, rule_of
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.segments.segment import NOISE, Segments, segments_of
from segrun.using.placing.assignment import Assigner, assigner


@dataclass(frozen=True)
class Placed:
    """Where customers are."""

    #: Number of the segment, -1 for outliers that are a segment of their own; None for those in no
    #: segment.
    segment: Sequence[int | None]
    #: What the model said, noise -1; None for customers that the outlier rule sets aside.
    label: Sequence[int | None]
    name: Sequence[str]  #: Of the segment, empty without one
    #: To the centre or nearest core row of the segment, in the transformed space.
    distance: NDArray[np.float64]
    note: Sequence[str]  #: Why a customer is in no segment, or how it came to one

    def among(self, chosen: NDArray[np.bool_], reasons: Sequence[str]) -> Placed:
        """Return the same for all rows of which these were chosen, the others nowhere."""
        at = np.where(chosen, np.cumsum(chosen) - 1, -1).tolist()
        distance = np.full(len(chosen), np.nan)
        distance[chosen] = self.distance
        return Placed(
            [None if i < 0 else self.segment[i] for i in at],
            [None if i < 0 else self.label[i] for i in at],
            ["" if i < 0 else self.name[i] for i in at],
            distance,
            [reasons[k] if i < 0 else self.note[i] for k, i in enumerate(at)],
        )

    def columns(self) -> Mapping[str, Any]:
        """Return the columns that a result has beside the id."""
        distance = [None if np.isnan(d) else float(d) for d in self.distance]
        return {
            "segment": self.segment, "label": self.label,
            "name": [text or None for text in self.name],
            "distance": distance, "note": [text or None for text in self.note],
        }  # fmt: skip


def undefined(customers: Customers, logged: Collection[str]) -> list[str]:
    """Say of each customer why it cannot be transformed, empty where it can."""
    found = [""] * len(customers)
    if isinstance(customers.columns, SparseColumns):
        return found
    for column, values in customers.columns.items():
        for i in np.flatnonzero(~np.isfinite(values)):
            found[i] = f"no {column}"
        if column in logged:
            for i in np.flatnonzero(values <= -1):
                found[i] = f"log(1 + {column}) is undefined for {values[i]:g}"
    return found


def outside(customers: Customers, bounds: Iterable[Bounds], least: int) -> list[str]:
    """Say of each customer why the run would have set it aside, empty where it would not."""
    if isinstance(customers.columns, SparseColumns):
        n_rated = np.diff(customers.columns.matrix.indptr).tolist()
        return [f"{n} ratings, fewer than {least}" if n < least else "" for n in n_rated]
    found = [""] * len(customers)
    for bound in bounds:
        for i in np.flatnonzero(~bound.keep(customers)):
            value = customers.columns[bound.column][i]
            found[i] = found[i] or (
                f"{bound.column} {value:g} is outside {bound.low:g} .. {bound.high:g}"
            )
    return found


@dataclass(frozen=True)
class Placing:
    """How rows are placed."""

    model: Assigner  #: What gives labels and distances
    bounds: Sequence[Bounds]  #: Outside of which the outlier rule sets a customer aside
    #: The described segments of the point; None: the label is the segment's number.
    segments: Segments | None
    names: Sequence[str]  #: Names of the features, in order
    logged: Sequence[str] = ()  #: Those that go through log(1 + x)
    least: int = 1  #: Ratings that a user must have to be clustered

    @classmethod
    def of(cls, run: FinishedRun, point: str, *, nearest: bool) -> Placing:
        """Return how a point of a run places rows; `nearest`: by centres, if nothing else can."""
        experiment, names = from_plain(run.experiment), run.customers.feature_names
        logged = experiment.transform.log1p
        return cls(
            assigner(run, point, nearest=nearest),
            bounds_of(run.all_customers, rule_of(experiment.features)),
            segments_of(run, point),
            names,
            names if logged == ["*"] else logged,
            getattr(experiment.features, "min_user_ratings", 1),
        )

    @property
    def policy(self) -> Outliers:
        """What becomes of noise and outliers; they are in no segment where none is described."""
        return Outliers(self.segments.outliers) if self.segments else Outliers.drop

    def place(self, customers: Customers) -> Placed:
        """Place every customer.

        A row that equals one of the fit bit for bit is where that one is.
        """
        customers = self._in_order(customers)
        reasons = undefined(customers, self.logged)
        fine = np.array([not text for text in reasons], dtype=bool)
        if fine.all():
            return self._place(customers)
        return self._place(customers.take(fine)).among(fine, reasons)

    def _place(self, customers: Customers) -> Placed:
        if not len(customers):
            return Placed([], [], [], np.empty(0), [])
        X = customers.matrix()
        Z = self.model.transform(X)
        known, labels = self.model.training.known(X, customers.ids)
        beyond = outside(customers, self.bounds, self.least)
        aside = ~known & np.array([bool(text) for text in beyond])
        new = ~known & ~aside
        if new.any():
            labels[new] = self.model.predict(Z[new])
        return self._settle(Z, labels, aside, beyond)

    def _settle(
        self, Z: Any, labels: NDArray[np.int64], aside: NDArray[np.bool_], beyond: list[str]
    ) -> Placed:
        noise = (labels == NOISE) & ~aside
        note = [f"outlier: {beyond[i]}" if aside[i] else "" for i in range(len(labels))]
        note = ["noise" if lost else text for lost, text in zip(noise, note, strict=True)]
        placed = labels.copy()
        if self.policy is Outliers.keep:
            if aside.any():
                placed[aside] = self.model.predict(Z[aside])
            lost = placed == NOISE
            if lost.any():
                placed[lost] = self.model.nearest(Z[lost])
            note = [f"{text}, in the nearest segment" if text else "" for text in note]
        own = self.policy is Outliers.own
        nowhere = (placed == NOISE) & (not own)
        segment = self._numbers(placed)
        return Placed(
            [None if gone else int(n) for n, gone in zip(segment, nowhere, strict=True)],
            [None if out else int(n) for n, out in zip(labels, aside, strict=True)],
            self._called(segment, nowhere),
            self.model.distances(Z, placed),
            note,
        )

    def _numbers(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return labels if self.segments is None else self.segments.numbers(labels)

    def _called(self, numbers: NDArray[np.int64], nowhere: NDArray[np.bool_]) -> list[str]:
        if self.segments is None:
            return [""] * len(numbers)
        names = {int(n): self.segments.name(int(n)) for n in np.unique(numbers)}
        return ["" if gone else names[int(n)] for n, gone in zip(numbers, nowhere, strict=True)]

    def _in_order(self, customers: Customers) -> Customers:
        """Return customers with the features of the fit, in its order."""
        if isinstance(customers.columns, SparseColumns):
            return customers
        missing = [name for name in self.names if name not in customers.columns]
        if missing:
            raise DataError(
                f"the new data give no {', '.join(missing)}. Features of the run: "
                f"{', '.join(self.names)}"
            )
        return replace(customers, columns={name: customers.columns[name] for name in self.names})
