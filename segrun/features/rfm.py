"""Recency, frequency, monetary value: from transaction lines to one row per customer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import Amount, Cancellations, ColumnKind, Orders, RfmConfig, Weekdays
from segrun.data.datasets.rows import ID_COLUMN, Rows, own_names
from segrun.data.engines import collected
from segrun.errors import ConfigError
from segrun.features.built import Built, settle
from segrun.features.condition import condition
from segrun.features.lines import (
    INVOICE,
    counted,
    days_before,
    drop_rules,
    reference_date,
    reference_of,
)
from segrun.features.partial import (
    Answers,
    Asked,
    Definition,
    Merge,
    aggregated,
    counting,
    entities,
    lean,
)
from segrun.features.removed import by_customers, by_rules
from segrun.features.sums import Measure, integers, sums
from segrun.rundir.customers import Customers

log = logging.getLogger("segrun.features")

#: ISO numbers modulo 7, so that Sunday is 0: narwhals on Spark gives 0 for it, others 7.
_WEEKDAYS = {
    "Friday": 5, "Monday": 1, "Saturday": 6, "Sunday": 0, "Thursday": 4, "Tuesday": 2,
    "Wednesday": 3,
}  # fmt: skip

MONTHS = {
    "April": 4, "August": 8, "December": 12, "February": 2, "January": 1, "July": 7, "June": 6,
    "March": 3, "May": 5, "November": 11, "October": 10, "September": 9,
}  # fmt: skip

#: The day that the kit leaves out: its data has no sales on Saturdays.
LEFT_OUT = "Saturday"

#: Columns that are known of customers besides features, months and weekdays: see `about`.
ABOUT = ("Country", "FirstPurchase", "Invoices", "TotalSpent")


def check(config: RfmConfig, kinds: Mapping[str, ColumnKind]) -> None:
    """Refuse settings that no transactions can satisfy."""
    if config.name != config.kind:
        raise ConfigError(
            f"features.name={config.name!r} has the keys of {config.kind!r}: choose the feature "
            "set with features=rfm or features=rfm_calendar"
        )
    if config.reference_date is not None:
        reference_date(config.reference_date)
    if config.cancelled_when is None:
        return
    if config.cancellations is Cancellations.keep:
        raise ConfigError(
            f"features.cancelled_when={config.cancelled_when!r} says what is cancelled, but "
            "features.cancellations=keep keeps it: set features.cancellations=remove as well"
        )
    if kinds:
        condition(config.cancelled_when, kinds, "features.cancelled_when")


def names(config: RfmConfig) -> list[str]:
    """Return the names of the features in order."""
    calendar = [] if config.calendar is None else [*weekdays(config.calendar), *MONTHS]
    return ["Amount", "NumberOfOrders", "Recency", *calendar]


def build(transactions: Rows, config: RfmConfig, *, described: bool = False) -> Built:
    """Build the features of every customer."""
    asked = ask(transactions, config)
    groups = aggregated(transactions.frame, lean(transactions, asked))
    facts = counted(groups, asked.rules, transactions.facts)
    facts["removed"] = by_rules(groups, asked)
    table, lines = entities(groups), transactions.filter(counting(asked))
    reference = reference_of(config, facts)
    assert reference is not None
    answers = Answers(table, lambda m: sums(m, table, lines.in_polars, asked.key), reference)
    everyone = finish(answers, transactions.id_column, config, asked.measures[0])
    facts |= {"reference_date": reference.isoformat()}
    _warn_of_saturdays(table, config)
    rest = None
    if described:
        rest = about(lines, everyone, config, reference, asked.measures[0])
    lost = partial(by_customers, table=table, money=asked.money)
    return settle(everyone, config, facts, rest, lost)


def define(transactions: Rows, config: RfmConfig, _: Mapping[str, Any] | None = None) -> Definition:
    """Return what is asked of transactions, and what becomes of the answers."""
    asked, name = ask(transactions, config), transactions.id_column
    return Definition(
        asked,
        lambda facts: reference_of(config, facts),
        lambda answers: finish(answers, name, config, asked.measures[0]),
    )


def ask(transactions: Rows, config: RfmConfig) -> Asked:
    """Return what is asked of transactions."""
    date = nw.col("InvoiceDate")
    factors = " or ".join(own_names(transactions.facts, ["Quantity", "UnitPrice"]))
    amount = Measure("amount", nw.col("UnitPrice"), nw.col("Quantity"), "amounts", factors)
    # 0/1 columns and their sums: conditional aggregates differ between engines.
    flags = {
        **{f"weekday_{d}": (date.dt.weekday() % 7 == d).cast(nw.Int64) for d in range(7)},
        **{f"month_{m}": (date.dt.month() == m).cast(nw.Int64) for m in range(1, 13)},
    }
    if config.calendar is None:
        flags = {}
    summed = {**amount.columns(), **flags}
    rows = {"date": date, **summed}
    answers = {"first": (Merge.least, "date"), "last": (Merge.most, "date")}
    answers |= {name: (Merge.add, name) for name in summed}
    if config.orders is Orders.invoices:
        rows["invoice"] = nw.col(INVOICE)
        answers["n_invoices"] = (Merge.distinct, "invoice")
    rules, money = drop_rules(transactions, config), {"Amount": amount.name}
    return Asked(ID_COLUMN, rules, rows, answers, (amount,), money)


def finish(answers: Answers, id_column: str, config: RfmConfig, amount: Measure) -> Customers:
    """Return the features of every customer."""
    table = answers.table
    n_lines = integers(table, "n_lines")
    per = n_lines if config.amount is Amount.mean_per_line else np.ones_like(n_lines)
    columns: dict[str, Any] = {
        "Amount": answers.sums(amount).over(per),
        "NumberOfOrders": (
            integers(table, "n_invoices") if config.orders is Orders.invoices else n_lines
        ),
        "Recency": days_before(table["last"], answers.reference).astype(np.int64),
    }
    if config.calendar is not None:
        for name, number in weekdays(config.calendar).items():
            columns[name] = integers(table, f"weekday_{number}")
        for name, number in MONTHS.items():
            columns[name] = integers(table, f"month_{number}")
    ids = np.array(table["id"].to_list(), dtype=object)
    return Customers(id_column, ids, columns)


def _warn_of_saturdays(table: nw.DataFrame[Any], config: RfmConfig) -> None:
    if config.calendar is Weekdays.kit:
        n_lines = int(integers(table, "weekday_6").sum())
        if n_lines:
            log.warning(
                "%d lines on a %s are in no weekday column: features.weekdays=all adds it",
                n_lines, LEFT_OUT,
            )  # fmt: skip


def weekdays(wanted: Weekdays) -> dict[str, int]:
    """Return name and number (ISO modulo 7) of the weekday columns, in order."""
    if wanted is Weekdays.all:
        return dict(_WEEKDAYS)
    return {name: number for name, number in _WEEKDAYS.items() if name != LEFT_OUT}


def about(
    counting: Rows,
    everyone: Customers,
    config: RfmConfig,
    reference: datetime,
    amount: Measure,
) -> Customers:
    """Return what is known of customers besides their features, in a pass or two over the lines."""
    lines = counting.frame
    names = lines.collect_schema().names()
    date = nw.col("InvoiceDate")
    built = {} if config.calendar is None else weekdays(config.calendar)
    every = weekdays(Weekdays.all)
    flags = {n: (date.dt.weekday() % 7 == d) for n, d in every.items() if n not in built}
    if config.calendar is None:
        flags |= {name: (date.dt.month() == m) for name, m in MONTHS.items()}
    invoices = [INVOICE] if INVOICE in names and config.orders is not Orders.invoices else []
    row = {name: flag.cast(nw.Int64) for name, flag in flags.items()} | amount.columns()
    answers = {name: nw.col(name).sum() for name in row}
    missing = {}
    if invoices:
        row["no invoice"] = nw.col(INVOICE).is_null().cast(nw.Int64)
        missing = {"no invoice": nw.col("no invoice").max()}
        answers["Invoices"] = nw.col(INVOICE).n_unique()
    grouped = (
        lines.select("InvoiceDate", *invoices, id=nw.col(ID_COLUMN), **row)
        .group_by("id")
        .agg(first=date.min(), **answers, **missing)
    )
    table = collected(grouped).sort("id")
    columns: dict[str, Any] = {}
    if "Country" in names:
        columns["Country"] = _most_frequent(lines, "Country", everyone.ids)
    columns["FirstPurchase"] = days_before(table["first"], reference).astype(np.int64)
    if invoices:
        columns["Invoices"] = integers(table, "Invoices") - integers(table, "no invoice")
    if config.amount is not Amount.total:
        total = sums(amount, table, counting.in_polars, ID_COLUMN)
        columns["TotalSpent"] = total.over(np.ones(len(table), dtype=np.int64))
    columns |= {name: integers(table, name) for name in flags}
    return Customers(everyone.id_column, everyone.ids, columns)


def _most_frequent(
    lines: nw.LazyFrame[Any], column: str, ids: Sequence[str] | NDArray[np.object_]
) -> NDArray[np.object_]:
    """Return each customer's text of most lines, of several the first of the alphabet."""
    texts = lines.select(id=nw.col(ID_COLUMN), text=nw.col(column)).filter(
        ~nw.col("text").is_null()
    )
    counts = collected(texts.group_by("id", "text").agg(n=nw.len()))
    ordered = counts.sort("id", "n", "text", descending=[False, True, False])
    first = ordered.unique("id", keep="first", maintain_order=True)
    found = dict(zip(first["id"].to_list(), first["text"].to_list(), strict=True))
    return np.array([found.get(customer) for customer in ids], dtype=object)
