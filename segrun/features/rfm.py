"""Recency, frequency, monetary value: from transaction lines to one row per customer.

One definition over narwhals.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import Amount, Orders, RfmCalendarConfig, RfmConfig, Weekdays
from segrun.data.datasets.rows import ID_COLUMN, Rows, own_names
from segrun.features.built import Built, settle
from segrun.features.calendar import LEFT_OUT, MONTHS, weekdays
from segrun.features.lines import INVOICE, counted, drop_rules
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
from segrun.features.reference import reference_date
from segrun.features.removed import by_customers, by_rules
from segrun.features.sums import Measure, sums
from segrun.rundir.customers import Customers

log = logging.getLogger("segrun.features")

_MICROSECONDS_PER_DAY = 86_400 * 1_000_000


def build(transactions: Rows, config: RfmConfig, *, about: bool = False) -> Built:
    """Build the features of every customer.

    Parameters
    ----------
    transactions : Rows
        Invoice lines.
    config : RfmConfig
        Which lines count and what is measured; an RfmCalendarConfig adds weekdays and months.
    about : bool, default=False
        Whether to look for what else is known of the customers.

    Returns
    -------
    Built
        Customers before and after the outlier rule, and what was dropped.

    Raises
    ------
    DataError
        If no line or only constant columns remain.
    """
    asked = ask(transactions, config)
    groups = aggregated(transactions.frame, lean(transactions, asked))
    facts = counted(groups, asked.rules, transactions.facts)
    facts["removed"] = by_rules(groups, asked)
    table, lines = entities(groups), transactions.filter(counting(asked))
    reference = reference_of(config, facts)
    answers = Answers(table, lambda m: sums(m, table, lines.in_polars, asked.key), reference)
    everyone = finish(answers, transactions.id_column, config, asked.measures[0])
    facts |= {"reference_date": reference.isoformat()}
    _warn_of_saturdays(table, config)
    rest = None
    if about:
        from segrun.features.about import about as tell

        rest = tell(lines, everyone, config, reference, asked.measures[0])
    lost = partial(by_customers, table=table, money=asked.money)
    return settle(everyone, config, facts, rest, lost)


def define(transactions: Rows, config: RfmConfig) -> Definition:
    """Return what is asked of transactions, and what becomes of the answers."""
    asked, name = ask(transactions, config), transactions.id_column
    return Definition(
        asked,
        lambda facts: reference_of(config, facts),
        lambda answers: finish(answers, name, config, asked.measures[0]),
    )


def reference_of(config: RfmConfig, facts: Mapping[str, Any]) -> datetime:
    """Return what Recency counts back from: as configured, else the latest line that counts."""
    if config.reference_date is not None:
        return reference_date(config.reference_date)
    return datetime.fromisoformat(facts["last_line"])


def ask(transactions: Rows, config: RfmConfig) -> Asked:
    """Return what is asked of transactions.

    Raises
    ------
    DataError
        If the transactions have no invoice numbers and the configuration needs them.
    """
    date = nw.col("InvoiceDate")
    factors = " or ".join(own_names(transactions.facts, ["Quantity", "UnitPrice"]))
    amount = Measure("amount", nw.col("UnitPrice"), nw.col("Quantity"), "amounts", factors)
    # 0/1 columns and their sums: conditional aggregates differ between engines.
    flags = {
        **{f"weekday_{d}": (date.dt.weekday() % 7 == d).cast(nw.Int64) for d in range(7)},
        **{f"month_{m}": (date.dt.month() == m).cast(nw.Int64) for m in range(1, 13)},
    }
    if not isinstance(config, RfmCalendarConfig):
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
    """Return the features of every customer.

    Parameters
    ----------
    answers : Answers
        What all lines came to.
    id_column : str
        What results call the customer id.
    config : RfmConfig
        What is measured.
    amount : Measure
        What a line costs.

    Raises
    ------
    DataError
        If amounts are too large to be summed.
    """
    table = answers.table
    n_lines = _integers(table, "n_lines")
    per = n_lines if config.amount is Amount.mean_per_line else np.ones_like(n_lines)
    last = table["last"].to_numpy().astype("datetime64[us]")
    age = np.datetime64(answers.reference, "us").astype(np.int64) - last.astype(np.int64)
    columns: dict[str, Any] = {
        "Amount": answers.sums(amount).over(per),
        "NumberOfOrders": (
            _integers(table, "n_invoices") if config.orders is Orders.invoices else n_lines
        ),
        "Recency": age // _MICROSECONDS_PER_DAY,
    }
    if isinstance(config, RfmCalendarConfig):
        for name, number in weekdays(config.weekdays).items():
            columns[name] = _integers(table, f"weekday_{number}")
        for name, number in MONTHS.items():
            columns[name] = _integers(table, f"month_{number}")
    ids = np.array(table["id"].to_list(), dtype=object)
    return Customers(id_column, ids, columns)


def _integers(table: nw.DataFrame[Any], column: str) -> NDArray[np.int64]:
    return table[column].to_numpy().astype(np.int64)


def _warn_of_saturdays(table: nw.DataFrame[Any], config: RfmConfig) -> None:
    if isinstance(config, RfmCalendarConfig) and config.weekdays is Weekdays.kit:
        n_lines = int(_integers(table, "weekday_6").sum())
        if n_lines:
            log.warning(
                "%d lines on a %s are in no weekday column: features.weekdays=all adds it",
                n_lines, LEFT_OUT,
            )  # fmt: skip
