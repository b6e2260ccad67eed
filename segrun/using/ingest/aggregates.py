"""The aggregates of all batches in a state: merged part by part, finished for whom it is asked."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import narwhals as nw

from segrun.config import ColumnKind, FeaturesConfig
from segrun.data.datasets.rows import ID_COLUMN, Rows, invoice_lines, transaction_kinds
from segrun.errors import DataError, StoreError
from segrun.features import define
from segrun.features.partial import Answers, Definition
from segrun.features.sums import Measure, Sums
from segrun.rundir.customers import Customers
from segrun.using.ingest.database import create, fact, set_fact
from segrun.using.ingest.entities import CellKind, Entities
from segrun.using.ingest.part import PartialAggregates, part_of


def added_totals(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of both."""
    found: dict[str, Any] = {"n_lines": one["n_lines"] + other["n_lines"]}
    keys = [*one["dropped"], *(key for key in other["dropped"] if key not in one["dropped"])]
    counts = Counter(one["dropped"]) + Counter(other["dropped"])
    found["dropped"] = {key: counts[key] for key in keys}
    for name, best in (("first_line", min), ("last_line", max)):
        dates = [datetime.fromisoformat(part[name]) for part in (one, other) if name in part]
        if dates:
            found[name] = best(dates).isoformat()
    return found


def n_dropped(totals: Mapping[str, Any]) -> int:
    """Return how many rows the rules dropped."""
    return sum(totals["dropped"].values())


_DTYPES = {
    "String": nw.String(), "Int64": nw.Int64(), "Float64": nw.Float64(),
    "Datetime": nw.Datetime("us"), "Boolean": nw.Boolean(),
}  # fmt: skip


@dataclass(frozen=True)
class Schema:
    """The columns of the rows."""

    transactions: bool  #: Whether they are transactions; else rows about entities
    key: str  #: The id's column, and what results call it
    id_column: str
    kinds: Mapping[str, str]  #: Of rows about entities: what the other columns hold
    columns: Mapping[str, str]  #: Data type by column, the id's included
    names: Mapping[str, str]  #: What the input calls the columns; empty where it has no others

    @classmethod
    def of(cls, source: Rows) -> Schema:
        """Return the shape of what a dataset delivers."""
        schema, names = source.frame.collect_schema(), source.facts.get("names", {})
        columns = {name: type(dtype).__name__ for name, dtype in schema.items()}
        if source.key == ID_COLUMN and source.kinds == transaction_kinds(list(columns)):
            return cls(True, ID_COLUMN, source.id_column, {}, columns, names)
        kinds = {name: kind.value for name, kind in source.kinds.items()}
        return cls(False, source.key, source.id_column, kinds, columns, names)

    def blank(self) -> Rows:
        """Return a source of this shape without any row."""
        schema = {name: _DTYPES[dtype] for name, dtype in self.columns.items()}
        facts = {"names": self.names} if self.names else {}
        empty: dict[str, list[Any]] = {name: [] for name in schema}
        frame = nw.from_dict(empty, schema=schema, backend="polars").lazy()
        if self.transactions:
            return invoice_lines(frame, self.id_column, {}, facts)
        kinds = {name: ColumnKind(kind) for name, kind in self.kinds.items()}
        return Rows(frame, self.key, self.id_column, kinds, {}, facts)

    def matched(self, source: Rows) -> Rows:
        """Return the rows of a batch with the columns of this shape and no others.

        A rule that looks at every column then looks at the same ones in each batch.
        """
        names = source.frame.collect_schema().names()
        gone = [name for name in self.columns if name not in names]
        if gone:
            raise DataError(
                f"it has no {', '.join(gone)}, which the run's own input has: of rows with other "
                "columns, other lines would count"
            )
        kinds = {name: kind for name, kind in source.kinds.items() if name in self.columns}
        return replace(source, frame=source.frame.select(*self.columns), kinds=kinds)


@dataclass(frozen=True)
class Aggregates:
    """What all rows came to until now."""

    connection: sqlite3.Connection  #: The database
    features: FeaturesConfig  #: What is made of the rows
    fitted: Mapping[str, Any] | None  #: What the features have learned of the first rows

    def part(self, source: Rows) -> PartialAggregates:
        """Return what further rows come to; nothing is stored."""
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
        set_fact(self.connection, "shape", asdict(Schema.of(source)))
        set_fact(self.connection, "totals", part.facts)

    def touch(self, part: PartialAggregates) -> None:
        """Say whom the next `merge` is about."""
        self.entities.touch(part.table["id"].to_list())

    def merge(self, part: PartialAggregates) -> None:
        """Merge further rows with those before, within a transaction."""
        set_fact(self.connection, "totals", added_totals(self.totals, part.facts))
        if len(part.table):
            self.entities.merge(part)

    def customers(self, *, touched: bool = False) -> Customers:
        """Return customers with the features that one read of all rows gives them."""
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
    def shape(self) -> Schema:
        """The columns of the rows."""
        return Schema(**fact(self.connection, "shape"))

    @cached_property
    def definition(self) -> Definition:
        """What is asked of rows, and what becomes of the answers."""
        return define(self.shape.blank(), self.features, self.fitted)

    @cached_property
    def entities(self) -> Entities:
        """The table of customers."""
        kinds = {name: CellKind(kind) for name, kind in fact(self.connection, "kinds").items()}
        return Entities(self.connection, self.definition.asked, kinds)


def _check_sum(n_lines: int, facts: Mapping[str, Any]) -> None:
    counting = facts["n_lines"] - n_dropped(facts)
    if n_lines != counting:
        raise StoreError(
            f"the state is damaged: its customers have {n_lines} lines, but {counting} were "
            "ingested. Put back a copy of the folder ingest, or remove it and ingest again"
        )
