"""New data through a finished run: features, transform, model, segments; and the shift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segrun.rundir.finished import FinishedRun
from segrun.segments.clustering import chosen_point
from segrun.segments.segment import is_described, read_segments
from segrun.using.apply.shift import Shift, shift
from segrun.using.placing.assignment import assigner
from segrun.using.placing.placed import Placed
from segrun.using.placing.placement import Placing
from segrun.using.placing.reading import New, Wanted, read


@dataclass(frozen=True)
class Applied:
    """The segments of new customers.

    Attributes
    ----------
    point : str
        The grid point whose model was used.
    new : New
        The customers, and how they were read.
    placed : Placed
        Where each is.
    shift : Shift
        How they differ from those of the training.
    """

    point: str
    new: New
    placed: Placed
    shift: Shift

    def columns(self) -> Mapping[str, Any]:
        """Return the columns of the result, one value per customer, None where there is none."""
        customers = self.new.customers
        own = self.placed.columns()
        name = customers.id_column
        return {"customer" if name in own else name: customers.written_ids, **own}


def apply(run: FinishedRun, wanted: Wanted) -> Applied:
    """Give new customers the segments of a finished run.

    Raises
    ------
    DataError
        If the new data lack what the features need.
    StoreError
        If the run lacks a point, its model, or any way to place new rows.
    """
    point = chosen_point(run, wanted.point)
    model = assigner(run, point, nearest=wanted.nearest)
    segments = read_segments(run) if is_described(run) else None
    placing = Placing.of(run, model, segments if segments and segments.point == point else None)
    new = read(run, wanted)
    placed = placing.place(new.customers)
    before = placing.place(run.all_customers)
    found = shift(placing, before, placed, run.customers, new.customers)
    return Applied(point, new, placed, found)
