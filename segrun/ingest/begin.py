"""The first state of a run: the aggregates of its own input, and where the run put everybody."""

from __future__ import annotations

import sqlite3

import numpy as np

from segrun.config import from_plain
from segrun.customers import Customers
from segrun.errors import StoreError
from segrun.features import define
from segrun.finished import FinishedRun
from segrun.ingest import batches, reading
from segrun.ingest.batches import Ingested
from segrun.ingest.database import create, set_fact, transaction
from segrun.ingest.entities import Entities
from segrun.ingest.ledger import Ledger
from segrun.ingest.part import part_of
from segrun.ingest.placing import placing_of, store_placing
from segrun.ingest.shape import Shape
from segrun.ingest.totals import totals_of


def begin(connection: sqlite3.Connection, run: FinishedRun, point: str, *, nearest: bool) -> None:
    """Make the first state of a run from the run's own input, which is read once more.

    Parameters
    ----------
    connection : Connection
        An empty database.
    run : FinishedRun
        The run.
    point : str
        Slug of the grid point whose model gives labels.
    nearest : bool
        Whether the nearest centre may place rows that the algorithm cannot place.

    Raises
    ------
    ConfigError
        If the features of the run cannot be merged.
    DataError
        If the input cannot be read, or is not what the run has read.
    StoreError
        If the model cannot place new rows, or the input gives other features than the run has.
    """
    features = from_plain(run.experiment).features
    placing = placing_of(run, point, nearest=nearest)
    with reading.own_input(run) as source:
        shape = Shape.of(source)
        definition = define(source, features, run.manifest["features"].get("fitted"))
        part = part_of(source, definition.asked)
    facts = totals_of(part, definition.asked)
    ids = part.table["id"].to_list()
    with transaction(connection):
        create(connection)
        entities = Entities.new(connection, definition.asked, part)
        entities.touch(ids)
        entities.merge(part)
        set_fact(connection, "run", run.manifest.get("key"))
        set_fact(connection, "shape", shape.plain())
        set_fact(connection, "kinds", {name: kind.value for name, kind in entities.kinds.items()})
        set_fact(connection, "ids", reading.id_facts(source.facts))
        set_fact(connection, "totals", facts)
        store_placing(connection, placing, point, nearest=nearest)
        customers = Ledger(run, connection).customers()
        _check_same(customers, run)
        placed = placing.place(customers)
        entities.label(ids, placed.label, placed.segment)
        own = run.manifest["input"]
        first = Ingested("run", own.get("path"), own.get("sha256"), facts, len(ids), len(ids), {})
        batches.record(connection, first)


def _check_same(customers: Customers, run: FinishedRun) -> None:
    """Refuse features that are not those of the run bit for bit."""
    then = run.all_customers
    same = [
        np.array_equal(customers.ids, then.ids),
        customers.feature_names == then.feature_names,
        *(
            np.array_equal(values, then.columns[name], equal_nan=True)
            for name, values in customers.columns.items()
            if name in then.columns and len(customers) == len(then)
        ),
    ]
    if not all(same):
        raise StoreError(
            f"the input of {run.path} now gives other features than the run has stored: another "
            "version of segrun, most likely. Run it again, and ingest into the new run"
        )
