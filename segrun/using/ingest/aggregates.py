"""The aggregates of all batches in a state: merged part by part, finished for whom it is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from segrun.config import FeaturesConfig
from segrun.data.datasets.rows import Rows
from segrun.errors import StoreError
from segrun.features import define
from segrun.features.partial import Answers, Definition
from segrun.features.sums import Measure, Sums
from segrun.rundir.customers import Customers
from segrun.using.ingest import totals
from segrun.using.ingest.database import create, fact, set_fact
from segrun.using.ingest.entities import Entities
from segrun.using.ingest.part import Part, part_of
from segrun.using.ingest.shape import Shape


@dataclass(frozen=True)
class Aggregates:
    """What all rows came to until now.

    Attributes
    ----------
    connection : Connection
        The database.
    features : FeaturesConfig
        What is made of the rows.
    fitted : mapping or None
        What the features have learned of the first rows.
    """

    connection: sqlite3.Connection
    features: FeaturesConfig
    fitted: Mapping[str, Any] | None

    def part(self, source: Rows) -> Part:
        """Return what further rows come to; nothing is stored.

        Raises
        ------
        DataError
            If they lack a column, or sums are too large.
        """
        rows = self.shape.matched(source)
        return part_of(rows, define(rows, self.features, self.fitted).asked)

    def begin(self, source: Rows) -> None:
        """Make the tables, with the first rows, within a transaction."""
        create(self.connection)
        definition = define(source, self.features, self.fitted)
        part = part_of(source, definition.asked)
        entities = Entities.new(self.connection, definition.asked, part)
        entities.touch(part.table["id"].to_list())
        entities.merge(part)
        kinds = {name: kind.value for name, kind in entities.kinds.items()}
        set_fact(self.connection, "kinds", kinds)
        set_fact(self.connection, "shape", Shape.of(source).plain())
        set_fact(self.connection, "totals", part.facts)

    def touch(self, part: Part) -> None:
        """Say whom the next `merge` is about."""
        self.entities.touch(part.table["id"].to_list())

    def merge(self, part: Part) -> None:
        """Merge further rows with those before, within a transaction."""
        set_fact(self.connection, "totals", totals.merged(self.totals, part.facts))
        if len(part.table):
            self.entities.merge(part)

    def customers(self, *, touched: bool = False) -> Customers:
        """Return customers with the features that one read of all rows gives them.

        Parameters
        ----------
        touched : bool, default=False
            Whether only those of the last batch are wanted.

        Raises
        ------
        DataError
            If features cannot be made of what is stored.
        StoreError
            If the customers do not add up to the lines that were ingested.
        """
        facts, entities = self.totals, self.entities
        table = entities.table(touched=touched)
        if not touched:
            _check_sum(int(table["n_lines"].sum()), facts)

        def sums(measure: Measure) -> Sums:
            return entities.sums(measure, table, touched=touched)

        return self.definition.finish(Answers(table, sums, self.definition.reference(facts)))

    @property
    def totals(self) -> dict[str, Any]:
        """What is known of all rows together."""
        found: dict[str, Any] = fact(self.connection, "totals")
        return found

    @cached_property
    def shape(self) -> Shape:
        """The columns of the rows."""
        return Shape(**fact(self.connection, "shape"))

    @cached_property
    def definition(self) -> Definition:
        """What is asked of rows, and what becomes of the answers."""
        return define(self.shape.blank(), self.features, self.fitted)

    @cached_property
    def entities(self) -> Entities:
        """The table of customers."""
        asked, kinds = self.definition.asked, fact(self.connection, "kinds")
        return Entities.stored(self.connection, asked, kinds)


def _check_sum(n_lines: int, facts: Mapping[str, Any]) -> None:
    counting = facts["n_lines"] - totals.n_dropped(facts)
    if n_lines != counting:
        raise StoreError(
            f"the state is damaged: its customers have {n_lines} lines, but {counting} were "
            "ingested. Put back a copy of the folder ingest, or remove it and ingest again"
        )
