"""The state of a run: everything sold until now, customer by customer, and where each is."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from segrun.config import Experiment, from_plain
from segrun.data.datasets import Form, dataset_of
from segrun.errors import DataError
from segrun.features.removed import lost
from segrun.progress import Progress
from segrun.rundir.claim import INGESTED
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.using.ingest import batches, contents, placing, reading
from segrun.using.ingest.aggregates import Aggregates
from segrun.using.ingest.batches import Ingested
from segrun.using.ingest.database import fact, set_fact, transaction
from segrun.using.ingest.moves import Move, moves_between
from segrun.using.ingest.overlap import overlapping
from segrun.using.ingest.part import Part
from segrun.using.placing.placement import Placing


@dataclass(frozen=True)
class Ledger:
    """The state of a run, open and locked.

    Attributes
    ----------
    run : FinishedRun
        The run; nothing of its own is changed.
    connection : Connection
        The database.
    """

    run: FinishedRun
    connection: sqlite3.Connection

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
            files = contents.files_of(path, sha256)
            if not force:
                contents.check_new(self.connection, path, sha256, files)
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
            placing.renumber(self.connection, self.run)
            # Not the cached one: the numbers may have been others.
            now = placing.stored_placing(self.connection, self.run)
            before, customers = self.segments(), self.aggregates.customers()
            progress.reach(0.5)
            placed = now.place(customers)
            progress.reach(0.8)
            self.aggregates.entities.label(customers.ids, placed.label, placed.segment)
            moves = moves_between(before, customers.ids, placed.segment)
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
        return placing.stored_placing(self.connection, self.run)

    @cached_property
    def _experiment(self) -> Experiment:
        return from_plain(self.run.experiment)

    def _merge(self, part: Part) -> tuple[int, Counter[Move]]:
        """Merge a part, place its customers; return how many of them are new, and the moves."""
        aggregates = self.aggregates
        aggregates.touch(part)
        before = aggregates.entities.segments(touched=True)
        self._check_once(before)
        aggregates.merge(part)
        if not len(part.table):
            return 0, Counter()
        customers = aggregates.customers(touched=True)
        placed = self.placing.place(customers)
        aggregates.entities.label(customers.ids, placed.label, placed.segment)
        moves = moves_between(before, customers.ids, placed.segment)
        return len(customers) - len(before), moves

    def _check_once(self, before: Mapping[str, Any]) -> None:
        dataset = self._experiment.dataset
        if before and dataset_of(dataset).form(dataset) is Form.table:
            raise DataError(
                f"it has a row of {next(iter(before))}, of whom there is one already: "
                "dataset.one_per_id=true allows one row per id"
            )
