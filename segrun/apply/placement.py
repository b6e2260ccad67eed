"""From labels to segments: outliers, noise, numbers, names, distances and notes of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.apply.assignment import Assigner
from segrun.config import Outliers, from_plain
from segrun.customers import Customers
from segrun.errors import DataError
from segrun.features.outliers import Bounds, bounds_of, rule_of
from segrun.finished import FinishedRun
from segrun.segments.segment import NOISE, Segments
from segrun.sparse import SparseColumns


@dataclass(frozen=True)
class Placed:
    """Where customers are.

    Attributes
    ----------
    segment : list of int or None
        Number of the segment, -1 for outliers that are a segment of their own; None for those in
        no segment.
    label : list of int or None
        What the model said, noise -1; None for customers that the outlier rule sets aside.
    name : list of str
        Of the segment, empty without one.
    distance : ndarray of float64
        To the centre or nearest core row of the segment, in the transformed space.
    note : list of str
        Why a customer is in no segment, or how it came to one.
    """

    segment: Sequence[int | None]
    label: Sequence[int | None]
    name: Sequence[str]
    distance: NDArray[np.float64]
    note: Sequence[str]

    def among(self, chosen: NDArray[np.bool_], reasons: Sequence[str]) -> Placed:
        """Return the same for all rows of which these were chosen, the others nowhere.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_all,)
            Rows that were placed.
        reasons : sequence of str
            Notes of the others.
        """
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


@dataclass(frozen=True)
class Placing:
    """How rows are placed.

    Attributes
    ----------
    model : Assigner
        What gives labels and distances.
    bounds : sequence of Bounds
        Outside of which the outlier rule sets a customer aside.
    segments : Segments or None
        The described segments of the point; None: the label is the segment's number.
    names : sequence of str
        Names of the features, in order.
    logged : sequence of str
        Those that go through log(1 + x).
    least : int
        Ratings that a user must have to be clustered.
    """

    model: Assigner
    bounds: Sequence[Bounds]
    segments: Segments | None
    names: Sequence[str]
    logged: Sequence[str] = ()
    least: int = 1

    @classmethod
    def of(cls, run: FinishedRun, model: Assigner, segments: Segments | None) -> Placing:
        """Return how a run places rows."""
        experiment, names = from_plain(run.experiment), run.customers.feature_names
        logged = experiment.transform.log1p
        return cls(
            model,
            bounds_of(run.all_customers, rule_of(experiment.features)),
            segments,
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
        undefined = self._undefined(customers)
        fine = np.array([not text for text in undefined], dtype=bool)
        if fine.all():
            return self._place(customers)
        return self._place(customers.take(fine)).among(fine, undefined)

    def _place(self, customers: Customers) -> Placed:
        if not len(customers):
            return Placed([], [], [], np.empty(0), [])
        X = customers.matrix()
        Z = self.model.transform(X)
        row = self.model.known(X, customers.ids)
        outside = self._outside(customers)
        aside = (row < 0) & np.array([bool(text) for text in outside])
        labels = np.full(len(customers), NOISE, dtype=np.int64)
        labels[row >= 0] = self.model.labels[row[row >= 0]]
        new = (row < 0) & ~aside
        if new.any():
            labels[new] = self.model.predict(Z[new])
        return self._settle(Z, labels, aside, outside)

    def _settle(
        self, Z: Any, labels: NDArray[np.int64], aside: NDArray[np.bool_], outside: list[str]
    ) -> Placed:
        noise = (labels == NOISE) & ~aside
        note = [f"outlier: {outside[i]}" if aside[i] else "" for i in range(len(labels))]
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

    def _undefined(self, customers: Customers) -> list[str]:
        """Say of each customer why it cannot be transformed, if it cannot."""
        found = [""] * len(customers)
        if isinstance(customers.columns, SparseColumns):
            return found
        for column, values in customers.columns.items():
            for i in np.flatnonzero(~np.isfinite(values)):
                found[i] = f"no {column}"
            if column in self.logged:
                for i in np.flatnonzero(values <= -1):
                    found[i] = f"log(1 + {column}) is undefined for {values[i]:g}"
        return found

    def _outside(self, customers: Customers) -> list[str]:
        """Say of each customer which bound of the outlier rule it is outside of, if any."""
        found = [""] * len(customers)
        if isinstance(customers.columns, SparseColumns):
            n_rated = np.diff(customers.columns.matrix.indptr)
            return [
                f"{n} ratings, features.min_user_ratings={self.least}" if n < self.least else ""
                for n in n_rated.tolist()
            ]
        for bounds in self.bounds:
            for i in np.flatnonzero(~bounds.keep(customers)):
                value = customers.columns[bounds.column][i]
                found[i] = found[i] or (
                    f"{bounds.column} {value:g} is outside {bounds.low:g} .. {bounds.high:g}"
                )
        return found

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
