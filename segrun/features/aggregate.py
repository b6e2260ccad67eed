"""Columns declared in YAML: from rows to one row per entity, in one pass over the rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np

from segrun.config import AggregateConfig, ColumnKind, Unknown
from segrun.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.features.ask import Answers, Ask, ask, values
from segrun.features.built import Built, settle
from segrun.features.collect import collected
from segrun.features.condition import condition
from segrun.features.declared import date_column, declared
from segrun.features.encode import encode
from segrun.features.filling import Raw
from segrun.features.lines import Rule, counted, first_that_drops
from segrun.features.reference import reference_date
from segrun.features.sums import sums

log = logging.getLogger("segrun.features")


def build(rows: Rows, config: AggregateConfig, fitted: Mapping[str, Any] | None = None) -> Built:
    """Build the declared columns of every entity.

    Parameters
    ----------
    rows : Rows
        Rows about entities.
    config : AggregateConfig
        The columns.
    fitted : mapping, optional
        ``facts["fitted"]`` of an earlier result, to build the same columns of other data.

    Raises
    ------
    ConfigError
        If a declaration does not fit the rows.
    DataError
        If no row remains, or a value is missing, unknown or too large.
    """
    date = date_column(config, rows.kinds)
    rules = drop_rules(rows, config, date)
    counting = rows.frame.filter(first_that_drops(rules) == 0)
    found = _values(rows, config, counting, (fitted or {}).get("values"))
    columns = declared(config, rows.kinds, found)
    asked = [ask(i, column, rows.kinds, date) for i, column in enumerate(columns)]
    groups = _aggregate(rows, asked, rules, date)
    facts = counted(groups, rules, rows.facts.get("n_missing", {}))
    table = groups.filter(nw.col("rule") == 0).sort("id")
    reference = _reference(config, facts)
    answers = Answers(table, lambda m: sums(m, table, counting, rows.key), reference)
    raw = [
        Raw(column.name, values(i, one, answers), column.config, f"features.columns.{column.key}")
        for i, (column, one) in enumerate(zip(columns, asked, strict=True))
    ]
    ids = np.array(table["id"].to_list(), dtype=object)
    encoded = encode(rows.id_column, ids, raw, fitted)
    if reference is not None:
        facts["reference_date"] = reference.isoformat()
    facts["fitted"] = {"values": found} | encoded.fitted
    return settle(encoded.customers, config.outliers, facts, encoded.about)


def drop_rules(rows: Rows, config: AggregateConfig, date: str | None) -> list[Rule]:
    """Return the reasons to leave rows out, in order.

    Raises
    ------
    ConfigError
        If the condition names what is not there, or rows that have no date are to be left out
        by it.
    """
    rules = [Rule(f"{rows.id_column} missing", nw.col(rows.key).is_null())]
    if config.where is not None:
        fulfils = condition(config.where, rows.kinds, "features.where")
        rules.append(Rule(f"features.where={config.where}", ~fulfils))
    if config.reference_date is not None:
        if date is None:
            raise ConfigError(
                f"features.reference_date={config.reference_date} needs a date column, which the "
                "dataset lacks"
            )
        late = nw.col(date) > reference_date(config.reference_date)
        rules.append(Rule(f"features.reference_date={config.reference_date}", late))
    return rules


def _values(
    rows: Rows,
    config: AggregateConfig,
    counting: nw.LazyFrame[Any],
    known: Mapping[str, Sequence[str]] | None,
) -> dict[str, list[str]]:
    """Return the values of `per` of each column that does not list them, in a pass for each."""
    found: dict[str, list[str]] = {}
    seen: dict[str, list[str]] = {}
    for name, column in config.columns.items():
        if column.per is None or column.values or rows.kinds.get(column.per) is not ColumnKind.text:
            continue
        if column.per not in seen:
            texts = counting.select(value=nw.col(column.per)).group_by("value").agg(n=nw.len())
            different = collected(texts)["value"].drop_nulls()
            seen[column.per] = sorted(different.to_list())
        found[name] = seen[column.per]
        if known is not None:
            found[name] = _as_known(name, column.unknown, found[name], known.get(name, []))
        elif len(found[name]) > column.max_values:
            raise DataError(
                f"features.columns.{name}.per={column.per} has {len(found[name])} values, more "
                f"than max_values={column.max_values}: list those that count in "
                f"features.columns.{name}.values, or raise max_values"
            )
        elif not found[name]:
            raise DataError(f"features.columns.{name}.per={column.per} has no value in any row")
    return found


def _as_known(name: str, policy: Unknown, found: Sequence[str], known: Sequence[str]) -> list[str]:
    strange = [value for value in found if value not in set(known)]
    if strange and policy is Unknown.refuse:
        raise DataError(
            f"features.columns.{name}: the data have values that were not there before "
            f"({', '.join(strange[:5])}). features.columns.{name}.unknown=ignore leaves them out"
        )
    return list(known)


def _aggregate(
    rows: Rows, asked: Sequence[Ask], rules: list[Rule], date: str | None
) -> nw.DataFrame[Any]:
    """Return the answers per entity, and one row for each rule with the rows that it drops."""
    counts = nw.col("rule of segrun") == 0
    needed = {name: expr for one in asked for name, expr in one.rows.items()}
    answers = {name: expr for one in asked for name, expr in one.answers.items()}
    if date is not None:
        needed["date"] = nw.col(date)
        answers |= {"first": nw.col("date").min(), "last": nw.col("date").max()}
    rule = first_that_drops(rules)
    lines = (
        rows.frame.with_columns(rule.alias("rule of segrun"))
        .with_columns(
            nw.when(counts).then(nw.col(rows.key)).otherwise(nw.lit("")).alias("id of segrun")
        )
        .select(rule=nw.col("rule of segrun"), id=nw.col("id of segrun"), **needed)
    )
    grouped = lines.group_by("rule", "id").agg(nw.len().alias("n_lines"), **answers)
    return collected(grouped)


def _reference(config: AggregateConfig, facts: Mapping[str, Any]) -> datetime | None:
    if config.reference_date is not None:
        return reference_date(config.reference_date)
    last = facts.get("last_line")
    return None if last is None else datetime.fromisoformat(last)
