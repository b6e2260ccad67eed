"""The first state of a run: the aggregates of its own input, and where the run put everybody."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from segrun.errors import StoreError
from segrun.progress import Progress
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.using.ingest import batches, contents, reading
from segrun.using.ingest.batches import Ingested
from segrun.using.ingest.database import set_fact, transaction
from segrun.using.ingest.ledger import Ledger
from segrun.using.ingest.placing import placing_of, store_placing


@dataclass(frozen=True)
class Wanted:
    """How a state begins.

    Attributes
    ----------
    point : str or None
        Slug of the grid point whose model gives labels; None: that of the segments, else the
        selected one.
    nearest : bool
        Whether the nearest centre may place rows that the algorithm cannot place.
    input : str or None
        Where the run's own input lies now, if elsewhere.
    """

    point: str | None = None
    nearest: bool = False
    input: str | None = None


def begin(connection: sqlite3.Connection, run: FinishedRun, wanted: Wanted, point: str) -> None:
    """Make the first state of a run from the run's own input, which is read once more.

    Parameters
    ----------
    connection : Connection
        An empty database.
    run : FinishedRun
        The run.
    wanted : Wanted
        How to begin.
    point : str
        Slug of the grid point whose model gives labels.

    Raises
    ------
    ConfigError
        If the features of the run cannot be merged.
    DataError
        If the input cannot be read, or is not what the run has read.
    StoreError
        If the model cannot place new rows, or the input gives other features than the run has.
    """
    placing = placing_of(run, point, nearest=wanted.nearest)
    ledger = Ledger(run, connection)
    aggregates = ledger.aggregates
    with (
        reading.own_input(run, wanted.input) as source,
        Progress("first state", 100) as progress,
        transaction(connection),
    ):
        aggregates.begin(source)
        progress.reach(0.5)
        customers = aggregates.customers()
        _check_same(customers, run)
        progress.reach(0.7)
        set_fact(connection, "run", run.manifest.get("key"))
        set_fact(connection, "ids", reading.id_facts(source.facts))
        set_fact(connection, "currencies", source.facts.get("currencies", []))
        store_placing(connection, placing, point, nearest=wanted.nearest)
        placed = placing.place(customers)
        progress.reach(0.9)
        aggregates.entities.label(customers.ids, placed.label, placed.segment)
        own, n = run.manifest["input"], len(customers)
        facts = aggregates.totals
        path, sha256 = source.fingerprint.get("path"), own.get("sha256")
        files = contents.files_of(path, sha256) if path and sha256 else {}
        first = Ingested("run", own.get("path"), sha256, facts, n, n, {}, files=files)
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
