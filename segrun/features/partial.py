"""Partial aggregates: what rows come to entity by entity, such that it can be merged.

Rows of any number of batches come to the same, in any order: every answer is a sum, a least, a
greatest or a set of different values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

import narwhals as nw

from segrun.data.datasets.rows import Rows
from segrun.data.engines import collected
from segrun.features.lines import Rule, first_that_drops
from segrun.features.sums import LARGEST_SUM, Measure, Sums
from segrun.rundir.customers import Customers

#: Names that no input has by chance.
_RULE, _ID = "rule of segrun", "id of segrun"


class Merge(Enum):
    """How an answer over some rows and the one over others become that over both."""

    add = "add"
    least = "least"
    most = "most"
    distinct = "distinct"


@dataclass(frozen=True)
class Asked:
    """What is asked of rows.

    Attributes
    ----------
    key : str
        The id's column in the rows.
    rules : sequence of Rule
        Reasons to leave rows out, in order.
    rows : mapping of str to narwhals.Expr
        Computed for every row, by name.
    answers : mapping of str to (Merge, str)
        Computed for every entity, by name: how, and from which of `rows`. Of `distinct` values
        the answer is their number, a missing one counted as one more.
    measures : sequence of Measure
        What is added up exactly; their columns are among the answers.
    money : mapping of str to str
        The measures that are taken of every row: their names by what people call them.
    """

    key: str
    rules: Sequence[Rule]
    rows: Mapping[str, nw.Expr]
    answers: Mapping[str, tuple[Merge, str]]
    measures: Sequence[Measure] = ()
    money: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """What all rows came to, read at once or merged.

    `table` has one row per entity, ordered by ``id``, with ``n_lines`` and a column per answer;
    `sums` returns the exact sums of a measure; days are counted back from `reference`.
    """

    table: nw.DataFrame[Any]
    sums: Callable[[Measure], Sums]
    reference: datetime | None


@dataclass(frozen=True)
class Definition:
    """What is asked of rows, and what becomes of the answers.

    `reference` makes of the facts of all rows what days are counted back from, `finish` of the
    aggregates of all rows the customers.
    """

    asked: Asked
    reference: Callable[[Mapping[str, Any]], datetime | None]
    finish: Callable[[Answers], Customers]


def aggregated(frame: nw.LazyFrame[Any], asked: Asked) -> nw.DataFrame[Any]:
    """Return the answers per entity, all in one pass over the rows."""
    counts = nw.col(_RULE) == 0
    lines = (
        frame.with_columns(first_that_drops(asked.rules).alias(_RULE))
        .with_columns(nw.when(counts).then(nw.col(asked.key)).otherwise(nw.lit("")).alias(_ID))
        .select(rule=nw.col(_RULE), id=nw.col(_ID), **asked.rows)
    )
    answers = {name: _answer(merge, column) for name, (merge, column) in asked.answers.items()}
    return collected(lines.group_by("rule", "id").agg(nw.len().alias("n_lines"), **answers))


def lean(source: Rows, asked: Asked) -> Asked:
    """Return what is asked, without columns that guard sums, where all rows pass their checks.

    Of a large table these are looked at in a pass of their own, over a few columns: to keep them
    entity by entity would take as much memory and time as all the rest. `sums` does without them.
    """
    guards = {m.name: m.guards() for m in asked.measures}
    if not source.files or not guards or not source.frame.implementation.is_polars():
        return asked
    rows = {name: asked.rows[name] for pair in guards.values() for name in pair}
    found = collected(source.frame.select(**rows).select(nw.all().sum()))
    passed = {
        name
        for measure, (size, finer) in guards.items()
        if not found[finer].item() and found[size].item() <= LARGEST_SUM
        # The size of money tells how much of it a rule drops.
        for name in ((finer,) if measure in asked.money.values() else (size, finer))
    }
    return replace(
        asked,
        rows={name: row for name, row in asked.rows.items() if name not in passed},
        answers={name: how for name, how in asked.answers.items() if name not in passed},
    )


def counting(asked: Asked) -> nw.Expr:
    """Return true for the rows that no rule drops."""
    return first_that_drops(asked.rules) == 0


def different(frame: nw.LazyFrame[Any], asked: Asked, answer: str) -> nw.DataFrame[Any]:
    """Return the values that a `distinct` answer counts."""
    value = asked.rows[asked.answers[answer][1]]
    pairs = frame.filter(counting(asked)).select(id=nw.col(asked.key), value=value)
    return collected(pairs.group_by("id", "value").agg(n=nw.len())).drop("n")


def entities(groups: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Return the entities of `aggregated`, ordered by id."""
    return groups.filter(nw.col("rule") == 0).sort("id")


def _answer(merge: Merge, column: str) -> nw.Expr:
    found = nw.col(column)
    if merge is Merge.add:
        return found.sum()
    if merge is Merge.distinct:
        return found.n_unique()
    return found.min() if merge is Merge.least else found.max()
