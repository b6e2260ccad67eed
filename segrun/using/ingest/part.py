"""What the rows of a batch come to, entity by entity; sums beyond the usual units are exact."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.data.datasets.rows import Rows
from segrun.features.lines import tallied
from segrun.features.partial import Asked, Merge, aggregated, counting, different, entities
from segrun.features.removed import by_rules
from segrun.features.sums import (
    LARGEST_SUM,
    USUAL_PLACES,
    Measure,
    Sums,
    finer_sums,
    largest,
    usual_sums,
)
from segrun.using.ingest.database import TOUCHED, quoted, source

#: Whole units, and their decimal places.
Exact = tuple[int, int]


@dataclass(frozen=True)
class PartialAggregates:
    """Partial aggregates of some rows."""

    table: nw.DataFrame[Any]  #: One row per entity, ordered by ``id``: ``n_lines`` and the answers
    #: By measure: the exact sums, where the usual ones are not; see `finer_sums`.
    finer: Mapping[str, Sums]
    #: By `distinct` answer: columns ``id`` and ``value``, once each.
    different: Mapping[str, nw.DataFrame[Any]]
    #: Rows read and dropped by each rule, how much that is, and the dates of those that count.
    facts: Mapping[str, Any]


def part_of(source: Rows, asked: Asked) -> PartialAggregates:
    """Return what rows come to."""
    groups = aggregated(source.frame, asked)
    table, facts = entities(groups), tallied(groups, asked.rules)
    facts["removed"] = by_rules(groups, asked)
    if table.is_empty():
        return PartialAggregates(table, {}, {}, facts)
    lines = source.frame.filter(counting(asked))
    finer = {}
    for measure in asked.measures:
        found = finer_sums(measure, table, lines, asked.key)
        if found is not None:
            finer[measure.name] = found
    distinct = [name for name, (merge, _) in asked.answers.items() if merge is Merge.distinct]
    return PartialAggregates(
        table, finer, {n: different(source.frame, asked, n) for n in distinct}, facts
    )


def usual(units: int) -> Exact:
    """Return a sum in the usual units."""
    return units, USUAL_PLACES


def added(one: Exact, other: Exact) -> Exact:
    """Return the sum of two."""
    places = max(one[1], other[1])
    return sum(units * 10 ** (places - own) for units, own in (one, other)), places


def differing(finer: Sums | None, units: NDArray[np.int64]) -> dict[int, Exact]:
    """Return by row the exact sums that are not the usual ones."""
    if finer is None:
        return {}
    found = enumerate(zip(finer.units, units.tolist(), strict=True))
    own, most = finer.places, USUAL_PLACES
    return {i: (int(a), own) for i, (a, b) in found if int(a) * 10**most != b * 10**own}


def together(units: Sequence[int], exact: Sequence[Exact | None]) -> Sums:
    """Return the sums of a measure as one read of all rows gives them."""
    places = max((one[1] for one in exact if one is not None), default=0)
    if not places:
        return Sums(np.array(units, dtype=np.int64), USUAL_PLACES)
    zero: Exact = (0, max(places, USUAL_PLACES))
    found = [
        added(zero, usual(u) if one is None else one) for u, one in zip(units, exact, strict=True)
    ]
    return Sums([total for total, _ in found], zero[1])


def exact_columns(measure: Measure) -> tuple[str, str]:
    """Return the columns of units and places; null where the usual units do."""
    return f"{measure.name} units", f"{measure.name} places"


def merged_exact(
    connection: sqlite3.Connection, measure: Measure, part: PartialAggregates
) -> dict[str, Exact]:
    """Return by id the new sums of the customers touched for whom the usual ones do not do.

    Before the part is merged.
    """
    loose = usual_sums(measure, part.table).units
    ids: list[str] = part.table["id"].to_list()
    assert isinstance(loose, np.ndarray)
    given = {ids[i]: e for i, e in differing(part.finer.get(measure.name), loose).items()}
    before = _before(connection, measure, LARGEST_SUM - largest(measure, part.table))
    if not given and not before:
        return {}
    place = {key: i for i, key in enumerate(ids)}
    found = {}
    for key in {**given, **before}:
        old = before.get(key) or usual(_loose(connection, measure, key))
        found[key] = added(old, given.get(key) or usual(int(loose[place[key]])))
    return found


def _before(connection: sqlite3.Connection, measure: Measure, most: float) -> dict[str, Exact]:
    """Return the sums of those touched that are exact already, or of a size above `most`."""
    names = [f"c.{quoted(n)}" for n in (*exact_columns(measure), measure.name, measure.guards()[0])]
    units, places, loose, size = names
    rows = connection.execute(
        f"SELECT c.id, {units}, {places}, {loose} {TOUCHED} "
        f"WHERE {units} IS NOT NULL OR {size} > ?",
        (most,),
    )
    return {
        key: usual(total) if exact is None else (int(exact), n) for key, exact, n, total in rows
    }


def store_exact(
    connection: sqlite3.Connection, measure: Measure, found: Mapping[str, Exact]
) -> None:
    """Store what `merged_exact` found, once the part is merged."""
    units, places = map(quoted, exact_columns(measure))
    connection.executemany(
        f"UPDATE customers SET {units} = ?, {places} = ? WHERE id = ?",  # noqa: S608
        # As text: they may be larger than the integers of SQLite.
        ((str(exact[0]), exact[1], key) for key, exact in found.items()),
    )


def stored_exact(
    connection: sqlite3.Connection, measure: Measure, ids: Sequence[str], *, touched: bool
) -> list[Exact | None]:
    """Return the sums of customers, None where the usual ones do."""
    units, places = map(quoted, exact_columns(measure))
    which = source(touched=touched, condition=f"c.{units} IS NOT NULL")
    rows = connection.execute(f"SELECT c.id, c.{units}, c.{places} {which}")
    some = {key: (int(total), n_places) for key, total, n_places in rows}
    return [some.get(key) for key in ids]


def _loose(connection: sqlite3.Connection, measure: Measure, key: str) -> int:
    sql = f"SELECT {quoted(measure.name)} FROM customers WHERE id = ?"  # noqa: S608
    found = connection.execute(sql, (key,)).fetchone()
    return 0 if found is None else int(found[0])
