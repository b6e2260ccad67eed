"""The state of a run: everything sold until now, customer by customer, and where each is."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from segrun.apply.placement import Placing
from segrun.config import FeaturesConfig, RecordsConfig, from_plain
from segrun.customers import Customers
from segrun.errors import DataError, StoreError
from segrun.features import define
from segrun.features.partial import Answers, Definition
from segrun.features.sums import Measure, Sums
from segrun.finished import FinishedRun
from segrun.ingest import batches, placing, reading, totals
from segrun.ingest.batches import Ingested
from segrun.ingest.database import FOLDER, fact, set_fact, transaction
from segrun.ingest.entities import Entities
from segrun.ingest.moves import Move, moves_between
from segrun.ingest.part import Part, part_of
from segrun.ingest.shape import Shape


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
            sha256 = str(source.fingerprint["sha256"])
            if not force:
                batches.check_new(self.connection, path, sha256)
            reading.check_ids(source.facts, fact(self.connection, "ids"))
            rows = self._shape.fitted(source)
            part = part_of(rows, define(rows, self._features, self._fitted).asked)
            told = batches.keep_quarantine(self.run.path / FOLDER, source, sha256)
            seen = reading.id_facts(source.facts)
        with transaction(self.connection):
            set_fact(self.connection, "ids", fact(self.connection, "ids") | seen)
            n_new, moves = self._merge(part)
            facts = totals.totals_of(part, self._definition.asked)
            found = Ingested("batch", path, sha256, facts, len(part.table), n_new, moves, told)
            batches.record(self.connection, found)
        return found

    def refresh(self) -> Ingested:
        """Give every customer a segment again, by the reference date of now."""
        with transaction(self.connection):
            placing.renumber(self.connection, self.run)
            # Not the cached one: the numbers may have been others.
            now = placing.stored_placing(self.connection, self.run)
            before, customers = self.segments(), self.customers()
            placed = now.place(customers)
            self._entities.label(customers.ids, placed.label, placed.segment)
            moves = moves_between(before, customers.ids, placed.segment)
            nothing: dict[str, Any] = {"n_lines": 0, "dropped": {}}
            found = Ingested("refresh", None, None, nothing, len(customers), 0, moves)
            batches.record(self.connection, found)
        return found

    def customers(self, *, touched: bool = False) -> Customers:
        """Return customers with the features that one read of all rows gives them.

        Parameters
        ----------
        touched : bool, default=False
            Whether only those of the last batch are wanted.

        Raises
        ------
        StoreError
            If the customers do not add up to the lines that were ingested.
        """
        facts, entities = fact(self.connection, "totals"), self._entities
        table = entities.table(touched=touched)
        if not touched:
            self._check_sum(int(table["n_lines"].sum()), facts)

        def sums(measure: Measure) -> Sums:
            any_finer = facts["finer"][measure.name] > 0
            return entities.sums(measure, table, touched=touched, any_finer=any_finer)

        reference = self._definition.reference(facts)
        return self._definition.finish(Answers(table, sums, reference))

    def segments(self) -> dict[str, int | None]:
        """Return the number of every customer's segment by id, None for those in none."""
        return self._entities.segments(touched=False)

    @cached_property
    def placing(self) -> Placing:
        """How customers are placed."""
        return placing.stored_placing(self.connection, self.run)

    def _merge(self, part: Part) -> tuple[int, Counter[Move]]:
        """Merge a part within a transaction; return how many customers are new, and the moves."""
        facts = totals.totals_of(part, self._definition.asked)
        set_fact(self.connection, "totals", totals.merged(fact(self.connection, "totals"), facts))
        ids: list[str] = part.table["id"].to_list()
        if not ids:
            return 0, Counter()
        self._entities.touch(ids)
        before = self._entities.segments(touched=True)
        self._check_once(before)
        self._entities.merge(part)
        customers = self.customers(touched=True)
        placed = self.placing.place(customers)
        self._entities.label(customers.ids, placed.label, placed.segment)
        return len(ids) - len(before), moves_between(before, customers.ids, placed.segment)

    def _check_once(self, before: Mapping[str, Any]) -> None:
        dataset = from_plain(self.run.experiment).dataset
        if before and isinstance(dataset, RecordsConfig) and dataset.one_per_id:
            raise DataError(
                f"it has a row of {next(iter(before))}, of whom there is one already: "
                "dataset.one_per_id=true allows one row per id"
            )

    def _check_sum(self, n_lines: int, facts: Mapping[str, Any]) -> None:
        counting = facts["n_lines"] - totals.n_dropped(facts)
        if n_lines != counting:
            raise StoreError(
                f"{self.run.path / FOLDER} is damaged: its customers have {n_lines} lines, but "
                f"{counting} were ingested. Put back a copy, or remove it and ingest again"
            )

    @cached_property
    def _features(self) -> FeaturesConfig:
        return from_plain(self.run.experiment).features

    @property
    def _fitted(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.run.manifest["features"].get("fitted")
        return found

    @cached_property
    def _shape(self) -> Shape:
        return Shape(**fact(self.connection, "shape"))

    @cached_property
    def _definition(self) -> Definition:
        return define(self._shape.blank(), self._features, self._fitted)

    @cached_property
    def _entities(self) -> Entities:
        return Entities.stored(
            self.connection, self._definition.asked, fact(self.connection, "kinds")
        )
