"""The table of customers in a state: one row each, their aggregates, label and segment."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import narwhals as nw
import numpy as np

from segrun.features.partial import Asked, Merge
from segrun.features.sums import LARGEST_SUM, Measure, Sums, check_size
from segrun.using.ingest.database import quoted, source
from segrun.using.ingest.part import (
    PartialAggregates,
    exact_columns,
    merged_exact,
    store_exact,
    stored_exact,
    together,
)

#: Stands for a missing value among different ones: no text, number or date is of this type.
MISSING = b""

#: What numpy takes for no moment.
_NO_MOMENT = np.iinfo(np.int64).min


class CellKind(Enum):
    """What a cell holds: whole numbers, float64, texts, or microseconds since 1970."""

    whole = "whole"
    number = "number"
    text = "text"
    moment = "moment"


def kind_of(series: nw.Series[Any], merge: Merge) -> CellKind:
    """Return what the cells of an answer hold."""
    if series.dtype == nw.String:
        return CellKind.text
    if isinstance(series.dtype, nw.Datetime):
        return CellKind.moment
    # The least of whole numbers is one of a column that may have fractions in another batch.
    counted = merge in (Merge.add, Merge.distinct) and series.dtype.is_integer()
    return CellKind.whole if counted else CellKind.number


def stored(series: nw.Series[Any], kind: CellKind) -> list[Any]:
    """Return values as the database takes them, None where missing."""
    if kind is CellKind.moment:
        found = series.to_numpy().astype("datetime64[us]").astype(np.int64)
        return [None if moment == _NO_MOMENT else moment for moment in found.tolist()]
    if kind is CellKind.number:
        return series.cast(nw.Float64).to_list()
    return series.to_list()


def different_cells(values: nw.Series[Any]) -> list[Any]:
    """Return values of which it only counts whether they are different."""
    kind = kind_of(values, Merge.least)
    return [MISSING if value is None else value for value in stored(values, kind)]


def restored(name: str, cells: Sequence[Any], kind: CellKind) -> nw.Series[Any]:
    """Return the values of a column of cells."""
    values: Any = cells
    if kind is CellKind.moment:
        moments = [_NO_MOMENT if cell is None else cell for cell in cells]
        values = np.array(moments, dtype=np.int64).astype("datetime64[us]")
    dtype = {
        CellKind.whole: nw.Int64(), CellKind.number: nw.Float64(), CellKind.text: nw.String(),
        CellKind.moment: nw.Datetime("us"),
    }[kind]  # fmt: skip
    return nw.new_series(name, values, dtype, backend="polars")


def add_different(connection: sqlite3.Connection, answer: str, pairs: nw.DataFrame[Any]) -> None:
    """Add values to the set of each customer, and how many are new to the count."""
    run = connection.execute
    run("CREATE TEMP TABLE IF NOT EXISTS pairs (id TEXT, value)")
    run("DELETE FROM pairs")
    cells = zip(pairs["id"].to_list(), different_cells(pairs["value"]), strict=True)
    connection.executemany("INSERT INTO pairs VALUES (?, ?)", cells)
    fresh = run(
        "SELECT c.number, p.value FROM pairs p CROSS JOIN customers c ON c.id = p.id "
        "WHERE NOT EXISTS (SELECT 1 FROM different d WHERE d.customer = c.number "
        "AND d.answer = ? AND d.value = p.value)",
        (answer,),
    ).fetchall()
    connection.executemany(
        "INSERT INTO different VALUES (?, ?, ?)", ((c, answer, value) for c, value in fresh)
    )
    counts = Counter(customer for customer, _ in fresh)
    name = quoted(answer)
    connection.executemany(
        f"UPDATE customers SET {name} = {name} + ? WHERE number = ?",  # noqa: S608
        ((n, customer) for customer, n in counts.items()),
    )


#: Rows that are Python objects at once.
_BLOCK = 20_000

#: How an answer merges. A missing value counts as nothing: null is no least one.
_MERGED = {
    Merge.add: "{0} + excluded.{0}",
    Merge.least: "min(ifnull({0}, excluded.{0}), ifnull(excluded.{0}, {0}))",
    Merge.most: "max(ifnull({0}, excluded.{0}), ifnull(excluded.{0}, {0}))",
    Merge.distinct: "{0}",
}


@dataclass(frozen=True)
class Entities:
    """The customers of a state."""

    connection: sqlite3.Connection  #: The database
    asked: Asked  #: What is asked of the rows: each answer is a column
    kinds: Mapping[str, CellKind]  #: What the cells of the answers hold

    @classmethod
    def new(cls, connection: sqlite3.Connection, asked: Asked, part: PartialAggregates) -> Entities:
        """Make an empty table for parts like this one."""
        merges = {name: merge for name, (merge, _) in asked.answers.items()}
        kinds = {name: kind_of(part.table[name], merge) for name, merge in merges.items()}
        names = [*kinds, *(c for m in asked.measures for c in exact_columns(m))]
        columns = ", ".join(quoted(name) for name in names)
        connection.execute(
            "CREATE TABLE customers (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "
            f"label INTEGER, segment INTEGER, n_lines INTEGER NOT NULL, {columns})"
        )
        return cls(connection, asked, kinds)

    def touch(self, ids: Sequence[str]) -> None:
        """Remember whom a batch is about, until the next one."""
        run = self.connection.execute
        run("CREATE TEMP TABLE IF NOT EXISTS touched (id TEXT PRIMARY KEY) WITHOUT ROWID")
        run("DELETE FROM touched")
        self.connection.executemany("INSERT INTO touched VALUES (?)", ((i,) for i in ids))

    def segments(self, *, touched: bool) -> dict[str, int | None]:
        """Return the segments of customers by id, in order; of those touched who are known."""
        return dict(self.connection.execute(f"SELECT c.id, c.segment {source(touched=touched)}"))

    def merge(self, part: PartialAggregates) -> None:
        """Merge a part with what is stored of the customers touched, who are its own."""
        measures = self.asked.measures
        exact = [merged_exact(self.connection, measure, part) for measure in measures]
        self._upsert(part)
        for measure, found in zip(measures, exact, strict=True):
            store_exact(self.connection, measure, found)
        for name, pairs in part.different.items():
            add_different(self.connection, name, pairs)

    def table(self, *, touched: bool) -> nw.DataFrame[Any]:
        """Return the aggregates of customers, ordered by ``id``, as one read of all gives them."""
        kinds = {"id": CellKind.text, "n_lines": CellKind.whole, **self.kinds}
        names = ", ".join(f"c.{quoted(name)}" for name in kinds)
        rows = self.connection.execute(f"SELECT {names} {source(touched=touched)}")
        columns: list[list[nw.Series[Any]]] = [[] for _ in kinds]
        for block in _blocks(rows):
            cells = zip(*block, strict=True) if block else ((),) * len(kinds)
            for found, one, (name, kind) in zip(columns, cells, kinds.items(), strict=True):
                found.append(restored(name, one, kind))
        named = [nw.concat([s.to_frame() for s in found], how="vertical") for found in columns]
        return nw.concat(named, how="horizontal")

    def sums(self, measure: Measure, table: nw.DataFrame[Any], *, touched: bool) -> Sums:
        """Return the exact sums of customers; see `together`."""
        check_size(measure, table)
        exact = stored_exact(self.connection, measure, table["id"].to_list(), touched=touched)
        return together(table[measure.name].to_list(), exact)

    def label(
        self,
        ids: Iterable[str],
        labels: Sequence[int | None],
        segments: Sequence[int | None],
    ) -> None:
        """Store the labels and segments of customers."""
        self.connection.executemany(
            "UPDATE customers SET label = ?, segment = ? WHERE id = ?",
            zip(labels, segments, ids, strict=True),
        )

    def _upsert(self, part: PartialAggregates) -> None:
        names = ["id", "n_lines", *self.kinds]
        merges = {"n_lines": Merge.add} | {n: m for n, (m, _) in self.asked.answers.items()}
        how = {n: _MERGED[m].format(quoted(n)) for n, m in merges.items()}
        for measure in self.asked.measures:
            size = _MERGED[Merge.add].format(quoted(measure.guards()[0]))
            # Of more than that the exact sum is stored beside it: SQLite would make a float of it.
            how[measure.name] = f"iif({size} > {LARGEST_SUM}, 0, {how[measure.name]})"
        merged = ", ".join(f"{quoted(n)} = {value}" for n, value in how.items())
        sql = (
            f"INSERT INTO customers ({', '.join(map(quoted, names))}) "  # noqa: S608
            f"VALUES ({', '.join('?' * len(names))}) ON CONFLICT (id) DO UPDATE SET {merged}"
        )
        distinct = [n for n, m in merges.items() if m is Merge.distinct]
        for start in range(0, len(part.table), _BLOCK):
            block = part.table[start : start + _BLOCK]
            cells = [block["id"].to_list(), block["n_lines"].to_list()]
            for name, kind in self.kinds.items():
                # Different values are counted as they are stored.
                n_none = [0] * len(block)
                cells.append(n_none if name in distinct else stored(block[name], kind))
            self.connection.executemany(sql, zip(*cells, strict=True))


def _blocks(rows: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows in blocks, at least one, which may be empty."""
    block = rows.fetchmany(_BLOCK)
    yield block
    while block := rows.fetchmany(_BLOCK):
        yield block
