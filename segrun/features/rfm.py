"""Recency, frequency, monetary value: from transaction lines to one row per customer.

One definition over narwhals.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import Amount, Orders, RfmCalendarConfig, RfmConfig, Weekdays
from segrun.customers import Customers
from segrun.datasets.transactions import ID_COLUMN, Transactions
from segrun.features.built import Built, settle
from segrun.features.calendar import LEFT_OUT, MONTHS, weekdays
from segrun.features.collect import collected
from segrun.features.lines import INVOICE, Rule, counted, drop_rules, first_that_drops
from segrun.features.reference import reference_date
from segrun.features.sums import Measure, Sums, sums

log = logging.getLogger("segrun.features")

_MICROSECONDS_PER_DAY = 86_400 * 1_000_000

_AMOUNT = Measure(
    "amount", nw.col("UnitPrice"), nw.col("Quantity"), "amounts", "Quantity or UnitPrice"
)


def build(transactions: Transactions, config: RfmConfig, *, about: bool = False) -> Built:
    """Build the features of every customer.

    Parameters
    ----------
    transactions : Transactions
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
    rules = drop_rules(transactions, config)
    groups = _aggregate(transactions, config, rules)
    facts = counted(groups, rules, transactions.facts.get("n_missing", {}))
    reference = datetime.fromisoformat(facts["last_line"])
    if config.reference_date is not None:
        reference = reference_date(config.reference_date)
    table = groups.filter(nw.col("rule") == 0).sort("id")
    lines = transactions.frame.filter(first_that_drops(rules) == 0)
    amounts = sums(_AMOUNT, table, lines, ID_COLUMN)
    everyone = _customers(table, amounts, transactions.id_column, config, reference)
    facts |= {"reference_date": reference.isoformat()}
    _warn_of_saturdays(table, config)
    rest = None
    if about:
        from segrun.features.about import about as tell

        rest = tell(lines, everyone, config, reference, _AMOUNT)
    return settle(everyone, config.outliers, facts, rest)


def _aggregate(
    transactions: Transactions, config: RfmConfig, rules: list[Rule]
) -> nw.DataFrame[Any]:
    """Return sums per customer, and one row for each rule with the lines that it drops.

    All in one pass over the lines. Column ``rule`` is 0 for customers.
    """
    measured = _AMOUNT.columns()
    date = nw.col("InvoiceDate")
    # 0/1 columns and their sums: conditional aggregates differ between engines.
    flags = {
        **{f"weekday_{d}": (date.dt.weekday() % 7 == d).cast(nw.Int64) for d in range(7)},
        **{f"month_{m}": (date.dt.month() == m).cast(nw.Int64) for m in range(1, 13)},
    }
    if not isinstance(config, RfmCalendarConfig):
        flags = {}
    counts = nw.col("rule") == 0
    invoice = [INVOICE] if config.orders is Orders.invoices else []
    lines = (
        transactions.frame.with_columns(rule=first_that_drops(rules))
        .with_columns(id=nw.when(counts).then(nw.col(ID_COLUMN)).otherwise(nw.lit("")))
        .select("rule", "id", "InvoiceDate", *invoice, **measured, **flags)
    )
    added = {name: nw.col(name).sum() for name in (*measured, *flags)}
    if invoice:
        added["n_invoices"] = nw.col(INVOICE).n_unique()
    grouped = lines.group_by("rule", "id").agg(
        nw.len().alias("n_lines"), first=date.min(), last=date.max(), **added
    )
    return collected(grouped)


def _customers(
    table: nw.DataFrame[Any],
    amounts: Sums,
    key: str,
    config: RfmConfig,
    reference: datetime,
) -> Customers:
    n_lines = _integers(table, "n_lines")
    per = n_lines if config.amount is Amount.mean_per_line else np.ones_like(n_lines)
    last = table["last"].to_numpy().astype("datetime64[us]")
    age = np.datetime64(reference, "us").astype(np.int64) - last.astype(np.int64)
    columns: dict[str, Any] = {
        "Amount": amounts.over(per),
        "NumberOfOrders": (
            n_lines if config.orders is Orders.lines else _integers(table, "n_invoices")
        ),
        "Recency": age // _MICROSECONDS_PER_DAY,
    }
    if isinstance(config, RfmCalendarConfig):
        for name, number in weekdays(config.weekdays).items():
            columns[name] = _integers(table, f"weekday_{number}")
        for name, number in MONTHS.items():
            columns[name] = _integers(table, f"month_{number}")
    ids = np.array(table["id"].to_list(), dtype=object)
    return Customers(key, ids, columns)


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
