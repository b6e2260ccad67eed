"""What else transactions tell of customers: columns that rfm does not cluster on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import Amount, Orders, RfmCalendarConfig, RfmConfig, Weekdays
from segrun.data.datasets.rows import ID_COLUMN, Rows
from segrun.features.calendar import LEFT_OUT, MONTHS, weekdays
from segrun.features.collect import collected
from segrun.features.lines import INVOICE
from segrun.features.sums import Measure, sums
from segrun.rundir.customers import Customers

_MICROSECONDS_PER_DAY = 86_400 * 1_000_000


def about(
    counting: Rows,
    everyone: Customers,
    config: RfmConfig,
    reference: datetime,
    amount: Measure,
) -> Customers:
    """Return what is known of customers besides their features, in a pass or two over the lines.

    Parameters
    ----------
    counting : Rows
        The lines that count.
    everyone : Customers
        Every customer, ordered by id.
    config : RfmConfig
        What is clustered on already.
    reference : datetime
        What FirstPurchase counts back from, in days.
    amount : Measure
        What a line costs.

    Returns
    -------
    Customers
        ``Country`` (of most lines), ``FirstPurchase``, ``Invoices``, ``TotalSpent``, and the lines
        per weekday and month, as far as the transactions have them and they are no features.
    """
    lines = counting.frame
    names = lines.collect_schema().names()
    date = nw.col("InvoiceDate")
    flags = {name: (date.dt.weekday() % 7 == d) for name, d in _weekdays(config).items()}
    if not isinstance(config, RfmCalendarConfig):
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
    columns["FirstPurchase"] = _days_before(table["first"], reference)
    if invoices:
        columns["Invoices"] = _integers(table, "Invoices") - _integers(table, "no invoice")
    if config.amount is not Amount.total:
        total = sums(amount, table, counting.in_polars, ID_COLUMN)
        columns["TotalSpent"] = total.over(np.ones(len(table), dtype=np.int64))
    columns |= {name: _integers(table, name) for name in flags}
    return Customers(everyone.id_column, everyone.ids, columns)


def _weekdays(config: RfmConfig) -> dict[str, int]:
    """Return name and number of the weekdays that are no features."""
    every = weekdays(Weekdays.all)
    if not isinstance(config, RfmCalendarConfig):
        return every
    return {} if config.weekdays is Weekdays.all else {LEFT_OUT: every[LEFT_OUT]}


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


def _days_before(moments: nw.Series[Any], reference: datetime) -> NDArray[np.int64]:
    found = moments.to_numpy().astype("datetime64[us]").astype(np.int64)
    return (np.datetime64(reference, "us").astype(np.int64) - found) // _MICROSECONDS_PER_DAY


def _integers(table: nw.DataFrame[Any], column: str) -> NDArray[np.int64]:
    return table[column].to_numpy().astype(np.int64)
