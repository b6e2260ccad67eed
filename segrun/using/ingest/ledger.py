"""The state of a run, open and locked: everything sold until now, and where each customer is."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from segrun.config import Experiment, from_plain
from segrun.data.datasets import Form, dataset_of
from segrun.errors import DataError, SegrunError, StoreError
from segrun.features.removed import lost
from segrun.progress import Progress
from segrun.rundir.claim import INGESTED, locked
from segrun.rundir.customers import Customers
from segrun.rundir.environment import own_code
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.clustering import chosen_point
from segrun.using.ingest import batches, reading
from segrun.using.ingest.aggregates import Aggregates
from segrun.using.ingest.batches import Ingested, Move, moves_between
from segrun.using.ingest.database import (
    STATE,
    connected,
    fact,
    is_empty,
    set_fact,
    transaction,
)
from segrun.using.ingest.part import PartialAggregates
from segrun.using.ingest.placing import renumber, store_placing, stored_placing
from segrun.using.ingest.reading import overlapping
from segrun.using.placing.placement import Placing


@dataclass(frozen=True)
class Ledger:
    """The state of a run, open and locked."""

    run: FinishedRun  #: The run; nothing of its own is changed
    connection: sqlite3.Connection  #: The database

    def ingest(self, path: str, changes: Sequence[str] = (), *, force: bool = False) -> Ingested:
        """Merge the rows of a file with what is stored: all of it, or nothing.

        Parameters
        ----------
        path : str
            The file.
        changes : sequence of str
            ``dataset.KEY=VALUE`` where it is written otherwise than the run's input.
        force : bool, default=False
            Whether a file counts once more that was ingested before.

        Raises
        ------
        KnownBatchError
            If it was ingested before.
        DataError
            If it cannot be read, or features cannot be made of it.
        """
        with reading.batch(self.run, path, changes) as source:
            sha256, seen = str(source.fingerprint["sha256"]), reading.id_facts(source.facts)
            files = batches.files_of(path, sha256)
            if not force:
                batches.check_new(self.connection, path, sha256, files)
            ids = reading.merged_ids(fact(self.connection, "ids"), seen)
            part = self.aggregates.part(source)
            before = fact(self.connection, "currencies")
            currencies, mixed = reading.merged_currencies(before, source.facts)
            told = batches.keep_quarantine(self.run.path / INGESTED, source, sha256) + mixed
        facts = part.facts
        if len(part.table):
            now = self.aggregates.totals
            told += overlapping(self._experiment.dataset, path, now, facts)
        told += lost(facts["removed"], self._experiment.features)
        with transaction(self.connection):
            set_fact(self.connection, "ids", ids)
            set_fact(self.connection, "currencies", currencies)
            n_new, moves = self._merge(part)
            n = len(part.table)
            found = Ingested("batch", path, sha256, facts, n, n_new, moves, told, files)
            batches.record(self.connection, found)
        return found

    def refresh(self) -> Ingested:
        """Give every customer a segment again, by the reference date of now."""
        with transaction(self.connection), Progress("segments", 100) as progress:
            renumber(self.connection, self.run)
            # Not the cached one: the numbers may have been others.
            now = stored_placing(self.connection, self.run)
            before, customers = self.segments(), self.aggregates.customers()
            progress.reach(0.5)
            moves = self._place(now, customers, before)
            nothing: dict[str, Any] = {"n_lines": 0, "dropped": {}}
            found = Ingested("refresh", None, None, nothing, len(customers), 0, moves)
            batches.record(self.connection, found)
        return found

    def customers(self) -> Customers:
        """Return every customer with the features of now, ids as the run writes them."""
        kind = self.run.all_customers.id_type
        return replace(self.aggregates.customers(), id_type=kind)

    def segments(self) -> dict[str, int | None]:
        """Return the number of every customer's segment by id, None for those in none."""
        return self.aggregates.entities.segments(touched=False)

    @cached_property
    def aggregates(self) -> Aggregates:
        """What all rows came to until now."""
        fitted = self.run.manifest["features"].get("fitted")
        return Aggregates(self.connection, self._experiment.features, fitted)

    @cached_property
    def placing(self) -> Placing:
        """How customers are placed."""
        return stored_placing(self.connection, self.run)

    @cached_property
    def _experiment(self) -> Experiment:
        return from_plain(self.run.experiment)

    def _merge(self, part: PartialAggregates) -> tuple[int, Counter[Move]]:
        """Merge a part, place its customers; return how many of them are new, and the moves."""
        aggregates = self.aggregates
        aggregates.touch(part)
        before = aggregates.entities.segments(touched=True)
        self._check_once(before)
        aggregates.merge(part)
        if not len(part.table):
            return 0, Counter()
        customers = aggregates.customers(touched=True)
        return len(customers) - len(before), self._place(self.placing, customers, before)

    def _place(
        self, placing: Placing, customers: Customers, before: Mapping[str, int | None]
    ) -> Counter[Move]:
        """Give customers their segments and return who moved."""
        placed = placing.place(customers)
        self.aggregates.entities.label(customers.ids, placed.label, placed.segment)
        return moves_between(before, customers.ids, placed.segment)

    def _check_once(self, before: Mapping[str, Any]) -> None:
        dataset = self._experiment.dataset
        if before and dataset_of(dataset).form(dataset) is Form.table:
            raise DataError(
                f"it has a row of {next(iter(before))}, of whom there is one already: "
                "dataset.one_per_id=true allows one row per id"
            )


@dataclass(frozen=True)
class StateOptions:
    """How a state begins."""

    #: Slug of the grid point whose model gives labels; None: that of the segments, else the
    #: selected one.
    point: str | None = None
    #: Whether the nearest centre may place rows that the algorithm cannot place.
    nearest: bool = False
    input: str | None = None  #: Where the run's own input lies now, if elsewhere


def begin(
    connection: sqlite3.Connection, run: FinishedRun, options: StateOptions, point: str
) -> None:
    """Make the first state of a run from the run's own input, which is read once more."""
    placing = Placing.of(run, point, nearest=options.nearest)
    ledger = Ledger(run, connection)
    aggregates = ledger.aggregates
    with (
        reading.own_input(run, options.input) as source,
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
        store_placing(connection, placing, point, nearest=options.nearest)
        placed = placing.place(customers)
        progress.reach(0.9)
        aggregates.entities.label(customers.ids, placed.label, placed.segment)
        own, n = run.manifest["input"], len(customers)
        facts = aggregates.totals
        path, sha256 = source.fingerprint.get("path"), own.get("sha256")
        files = batches.files_of(path, sha256) if path and sha256 else {}
        first = Ingested("run", own.get("path"), sha256, facts, n, n, Counter(), files=files)
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


log = logging.getLogger("segrun.using.ingest")

#: How long another ingest may go on before this one gives up.
_WAIT_SECONDS = 60


def has_state(run: FinishedRun) -> bool:
    """Tell whether anything was ever ingested into a run."""
    file = run.path / INGESTED / STATE
    return file.is_file() and file.stat().st_size > 0


def make_state(path: Path) -> None:
    """Make the state of a run that has just ended; see `opened`."""
    try:
        with opened(open_run(path)):
            pass
    except SegrunError as error:
        raise type(error)(
            f"store.state=true: {error}. The run itself is done: segrun ingest {path} FILE makes "
            "its state later"
        ) from error


@contextmanager
def opened(run: FinishedRun, options: StateOptions = StateOptions()) -> Iterator[Ledger]:
    """Open the state of a run; where there is none, it is made from the run's own input.

    Parameters
    ----------
    run : FinishedRun
        The run.
    options : StateOptions, optional
        How a new state begins; another keeps to what it began with.

    Raises
    ------
    ClaimError
        If another process has it for too long, or it cannot be written.
    StoreError
        If it is damaged, or of another run or point.
    """
    folder = run.path / INGESTED
    busy = f"another process is ingesting into {run.path}: wait until it has ended"
    lock = locked(folder, _WAIT_SECONDS, busy)
    try:
        with connected(folder / STATE) as connection:
            if is_empty(connection):
                own = run.manifest["input"]
                log.warning(
                    "%s has no state yet: made once, from its own input, %s",
                    run.path, own.get("path") or own.get("source"),
                )  # fmt: skip
                begin(connection, run, options, chosen_point(run, options.point))
            kept = fact(connection, "placing")["point"]
            if fact(connection, "run") != run.manifest.get("key"):
                raise StoreError(
                    f"{folder / STATE} is the state of another run: remove it and ingest again"
                )
            if options.point not in (None, kept):
                raise StoreError(
                    f"{folder / STATE} has the labels of the point {kept}, not of {options.point}: "
                    "to go on with another one, copy the run without its folder ingest"
                )
            if (then := fact(connection, "code", needed=False)) != own_code():
                log.warning(
                    "%s was last written by other code of segrun (%s then, %s now): what is stored "
                    "stands, new rows are added by the code of now. To have all of it by one code, "
                    "run again and ingest into the new run",
                    folder / STATE, then or "not known", own_code(),
                )  # fmt: skip
            yield Ledger(run, connection)
    finally:
        lock.release()
