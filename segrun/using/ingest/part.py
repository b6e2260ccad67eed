"""What the rows of a batch come to, entity by entity: what is merged with what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from segrun.data.datasets.rows import Rows
from segrun.features.lines import tallied
from segrun.features.partial import Asked, Merge, aggregated, counting, different, entities
from segrun.features.removed import by_rules
from segrun.features.sums import Sums, finer_sums


@dataclass(frozen=True)
class Part:
    """Partial aggregates of some rows.

    Attributes
    ----------
    table : DataFrame
        One row per entity, ordered by ``id``: ``n_lines`` and the answers.
    finer : mapping of str to Sums
        By measure: the exact sums, where the usual ones are not; see `finer_sums`.
    different : mapping of str to DataFrame
        By `distinct` answer: columns ``id`` and ``value``, once each.
    facts : mapping
        Rows read and dropped by each rule, how much that is, and the dates of those that count.
    """

    table: nw.DataFrame[Any]
    finer: Mapping[str, Sums]
    different: Mapping[str, nw.DataFrame[Any]]
    facts: Mapping[str, Any]


def part_of(source: Rows, asked: Asked) -> Part:
    """Return what rows come to.

    Raises
    ------
    DataError
        If sums are too large.
    """
    groups = aggregated(source.frame, asked)
    table, facts = entities(groups), tallied(groups, asked.rules)
    facts["removed"] = by_rules(groups, asked)
    if table.is_empty():
        return Part(table, {}, {}, facts)
    lines = source.frame.filter(counting(asked))
    finer = {}
    for measure in asked.measures:
        found = finer_sums(measure, table, lines, asked.key)
        if found is not None:
            finer[measure.name] = found
    distinct = [name for name, (merge, _) in asked.answers.items() if merge is Merge.distinct]
    return Part(table, finer, {n: different(source.frame, asked, n) for n in distinct}, facts)
