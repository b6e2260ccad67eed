"""Columns declared in YAML: from rows to one row per entity, in one pass over the rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np

from segrun.config import AggregateConfig, ColumnKind, Unknown
from segrun.data.datasets.rows import Rows
from segrun.data.engines import collected
from segrun.errors import ConfigError, DataError
from segrun.features.ask import Ask, ask, values
from segrun.features.built import Built, settle
from segrun.features.condition import condition
from segrun.features.declared import date_column, declared
from segrun.features.encode import Encoded, Raw, encode, encoded_names, is_ordinal
from segrun.features.encode import check as check_encoded
from segrun.features.lines import Rule, counted, first_that_drops, reference_date, reference_of
from segrun.features.partial import Answers, Asked, Definition, Merge, aggregated, entities, lean
from segrun.features.removed import by_customers, by_rules
from segrun.features.sums import sums

log = logging.getLogger("segrun.features")


def check(config: AggregateConfig, kinds: Mapping[str, ColumnKind]) -> None:
    """Refuse declarations that no rows with these columns can satisfy."""
    for column in declared(config, kinds, {}):
        check_encoded(column.config, f"features.columns.{column.key}", text=column.text)
    date_column(config, kinds)
    if config.where is not None:
        condition(config.where, kinds, "features.where")
    if config.reference_date is not None:
        reference_date(config.reference_date)


def names(config: AggregateConfig, kinds: Mapping[str, ColumnKind]) -> list[str] | None:
    """Return the names of the features in order; None where only the data will tell."""
    if any(column.per is not None and not column.values for column in config.columns.values()):
        return None
    found: list[str] = []
    for column in declared(config, kinds, {}):
        own = encoded_names(column.config, column.name, text=column.text)
        if own is None:
            return None
        found += own
    return found


def texts(config: AggregateConfig, kinds: Mapping[str, ColumnKind]) -> list[str]:
    """Return the columns that stay texts."""
    columns = declared(config, kinds, {})
    return [c.name for c in columns if c.text and not is_ordinal(c.config)]


def build(rows: Rows, config: AggregateConfig, fitted: Mapping[str, Any] | None = None) -> Built:
    """Build the declared columns of every entity."""
    date = date_column(config, rows.kinds)
    rules = drop_rules(rows, config, date)
    remaining = rows.filter(first_that_drops(rules) == 0)
    found = _values(rows, config, remaining, (fitted or {}).get("values"))
    columns = _columns(rows, config, found)
    groups = _groups(rows, columns, rules, date)
    facts = counted(groups, rules, rows.facts)
    asked = _asked(rows, columns, rules, date)
    facts["removed"] = by_rules(groups, asked)
    table, reference = entities(groups), reference_of(config, facts)
    answers = Answers(table, lambda m: sums(m, table, remaining.in_polars, rows.key), reference)
    encoded = _finish(answers, columns, rows.id_column, fitted)
    if reference is not None:
        facts["reference_date"] = reference.isoformat()
    facts["fitted"] = {"values": found} | encoded.fitted
    lost = partial(by_customers, table=table, money=asked.money)
    return settle(encoded.customers, config, facts, encoded.about, lost)


def define(
    rows: Rows, config: AggregateConfig, fitted: Mapping[str, Any] | None = None
) -> Definition:
    """Return what is asked of rows for the columns of an earlier result; see `build`."""
    date = date_column(config, rows.kinds)
    rules = drop_rules(rows, config, date)
    remaining = rows.filter(first_that_drops(rules) == 0)
    known = (fitted or {}).get("values", {})
    columns = _columns(rows, config, _values(rows, config, remaining, known))
    asked = _asked(rows, columns, rules, date)
    return Definition(
        asked,
        lambda facts: reference_of(config, facts),
        lambda answers: _finish(answers, columns, rows.id_column, fitted).customers,
    )


def drop_rules(rows: Rows, config: AggregateConfig, date: str | None) -> list[Rule]:
    """Return the reasons to leave rows out, in order."""
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
    counting: Rows,
    known: Mapping[str, Sequence[str]] | None,
) -> dict[str, list[str]]:
    """Return the values of `per` of each column that does not list them, in a pass for each."""
    found: dict[str, list[str]] = {}
    seen: dict[str, list[str]] = {}
    for name, column in config.columns.items():
        if column.per is None or column.values or rows.kinds.get(column.per) is not ColumnKind.text:
            continue
        if column.per not in seen:
            texts = (
                counting.frame.select(value=nw.col(column.per)).group_by("value").agg(n=nw.len())
            )
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


def _columns(rows: Rows, config: AggregateConfig, values: Mapping[str, list[str]]) -> list[Ask]:
    date = date_column(config, rows.kinds)
    columns = declared(config, rows.kinds, values)
    return [ask(i, column, rows, date) for i, column in enumerate(columns)]


def _groups(
    rows: Rows, columns: Sequence[Ask], rules: Sequence[Rule], date: str | None
) -> nw.DataFrame[Any]:
    """Return the answers per entity, and one row for each rule with the rows that it drops."""
    if rows.by_polars is None or not any(one.by_polars for one in columns):
        return aggregated(rows.frame, lean(rows, _asked(rows, columns, rules, date)))
    log.info("first and last of numbers: computed by polars, in a pass of their own")
    own = [one for one in columns if one.by_polars]
    rest = [one for one in columns if not one.by_polars]
    groups = aggregated(rows.frame, _asked(rows, rest, rules, date))
    others = aggregated(rows.in_polars, _asked(rows, own, rules, date))
    names = [name for one in own for name in one.answers]
    rule = nw.col("rule").cast(nw.Int64)
    return groups.with_columns(rule).join(
        others.with_columns(rule).select("rule", "id", *names), on=["rule", "id"], how="left"
    )


def _asked(rows: Rows, columns: Sequence[Ask], rules: Sequence[Rule], date: str | None) -> Asked:
    needed = {name: expr for one in columns for name, expr in one.rows.items()}
    answers = {name: how for one in columns for name, how in one.answers.items()}
    if date is not None:
        needed["date"] = nw.col(date)
        answers |= {"first": (Merge.least, "date"), "last": (Merge.most, "date")}
    measures = [measure for one in columns for measure in one.measures]
    return Asked(rows.key, rules, needed, answers, measures, _money(columns))


def _money(columns: Sequence[Ask]) -> dict[str, str]:
    """Return what is added up over all rows that count, by the columns it is of."""
    found: dict[str, str] = {}
    for one in columns:
        # Of a share, the part and the whole.
        for measure, limit in zip(one.measures, (one.column.rows, one.column.base), strict=False):
            if limit is None:
                found.setdefault(" * ".join(one.column.of), measure.name)
    return found


def _finish(
    answers: Answers, columns: Sequence[Ask], id_column: str, fitted: Mapping[str, Any] | None
) -> Encoded:
    raw = []
    for i, one in enumerate(columns):
        column = one.column
        found, where = values(i, one, answers), f"features.columns.{column.key}"
        raw.append(Raw(column.name, found, column.config, where))
    ids = np.array(answers.table["id"].to_list(), dtype=object)
    return encode(id_column, ids, raw, fitted)
