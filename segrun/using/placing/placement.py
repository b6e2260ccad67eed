"""From new rows to segments: outliers and noise by the policy, numbers and names."""

from __future__ import annotations

from collections.abc import Sequence
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
from segrun.segments.segment import NOISE, Segments
from segrun.using.placing.assignment import Assigner
from segrun.using.placing.placed import Placed
from segrun.using.placing.reasons import outside, undefined


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
