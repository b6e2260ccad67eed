"""From transaction lines to one row per customer: one definition over narwhals."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import Amount, FeaturesConfig, Orders, RfmCalendarConfig, Weekdays
from segrun.customers import Customers
from segrun.datasets.transactions import ID_COLUMN, Transactions
from segrun.errors import DataError
from segrun.features.calendar import LEFT_OUT, MONTHS, weekdays
from segrun.features.lines import (
    INVOICE,
    MOST_PLACES,
    USUAL_PLACES,
    Rule,
    drop_rules,
    exact_units,
    first_that_drops,
    held,
    needed_places,
    units,
)
from segrun.features.outliers import set_aside
from segrun.features.reference import reference_date

log = logging.getLogger("segrun.features")

_MICROSECONDS_PER_DAY = 86_400 * 1_000_000

#: Half of what int64 and int128 hold: a sum of absolute amounts below it cannot overflow.
_LARGEST_SUM, _LARGEST_LONG_SUM = 2**62, 2**126


@dataclass(frozen=True)
class _Amounts:
    """Sums of amounts, customer by customer, in units of so many decimal places."""

    sums: Sequence[int] | NDArray[np.int64]
    places: int


@dataclass(frozen=True)
class Built:
    """The customers of a dataset.

    Attributes
    ----------
    all_customers : Customers
        Every customer, before the outlier rule.
    customers : Customers
        Those that are clustered, ordered by id as text.
    facts : mapping
        Lines read and dropped by each rule, date range, customers set aside by each column.
    """

    all_customers: Customers
    customers: Customers
    facts: Mapping[str, Any]


def build(transactions: Transactions, config: FeaturesConfig) -> Built:
    """Build the features of every customer.

    Parameters
    ----------
    transactions : Transactions
        Invoice lines.
    config : FeaturesConfig
        Which lines count and what is measured; an RfmCalendarConfig adds weekdays and months.

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
    facts = _facts(groups, rules, transactions.facts.get("n_missing", {}))
    reference = datetime.fromisoformat(facts["last_line"])
    if config.reference_date is not None:
        reference = reference_date(config.reference_date)
    table = groups.filter(nw.col("rule") == 0).sort("id")
    amounts = _amounts(transactions, table, rules)
    everyone = _customers(table, amounts, transactions.id_column, config, reference)
    kept, removed = set_aside(everyone, config.outliers)
    facts |= {
        "reference_date": reference.isoformat(),
        "customers": len(everyone),
        "set_aside": removed,
        "clustered": len(kept),
    }
    _report(facts)
    _warn_of_saturdays(table, config)
    _check_constant(kept)
    return Built(everyone, kept, facts)


def _aggregate(
    transactions: Transactions, config: FeaturesConfig, rules: list[Rule]
) -> nw.DataFrame[Any]:
    """Return sums per customer, and one row for each rule with the lines that it drops.

    All in one pass over the lines. Column ``rule`` is 0 for customers.
    """
    price = nw.col("UnitPrice")
    measured = {
        "amount": nw.col("Quantity") * units(price, USUAL_PLACES),
        "size": (nw.col("Quantity") * (price * 10.0**USUAL_PLACES).round(0)).abs(),
        "n_finer": (~held(price, USUAL_PLACES)).cast(nw.Int64),
    }
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
    sums = {name: nw.col(name).sum() for name in (*measured, *flags)}
    if invoice:
        sums["n_invoices"] = nw.col(INVOICE).n_unique()
    grouped = lines.group_by("rule", "id").agg(
        nw.len().alias("n_lines"), first=date.min(), last=date.max(), **sums
    )
    return grouped.collect("polars", engine="streaming")


def _facts(
    groups: nw.DataFrame[Any], rules: list[Rule], n_missing: Mapping[str, int]
) -> dict[str, Any]:
    """Count lines read and dropped, each line by the first rule that drops it."""
    rule, n_lines = groups["rule"].to_numpy(), _integers(groups, "n_lines")
    dropped = {r.name: int(n_lines[rule == i].sum()) for i, r in enumerate(rules, start=1)}
    kept = groups.filter(nw.col("rule") == 0)
    if kept.is_empty():
        said = ", ".join(f"{name} dropped {n}" for name, n in dropped.items())
        gaps = ", ".join(f"{column} {n}" for column, n in n_missing.items())
        missing = f" (values missing: {gaps})" if gaps else ""
        raise DataError(
            f"no line remains of {n_lines.sum()}: {said}{missing}. Relax one of these settings"
        )
    return {
        "n_lines": int(n_lines.sum()),
        "dropped": dropped,
        "first_line": kept["first"].min().isoformat(),
        "last_line": kept["last"].max().isoformat(),
    }


def _amounts(transactions: Transactions, table: nw.DataFrame[Any], rules: list[Rule]) -> _Amounts:
    """Return the sums of the customers, in another pass where prices have smaller units."""
    largest = float(table["size"].max())
    if largest > _LARGEST_SUM:
        worst = table.sort("size", descending=True)["id"][0]
        raise DataError(
            f"the amounts of customer {worst} are too large to be summed exactly "
            f"(above {_LARGEST_SUM / 10**USUAL_PLACES:.3g} in all): look for a wrong Quantity or "
            "UnitPrice"
        )
    if not table["n_finer"].sum():
        return _Amounts(_integers(table, "amount"), USUAL_PLACES)
    lines = transactions.frame.filter(first_that_drops(rules) == 0)
    places = _places(lines, largest / 10**USUAL_PLACES)
    amount = nw.col("Quantity").cast(nw.Int128) * exact_units(nw.col("UnitPrice"), places)
    sums = lines.select(id=nw.col(ID_COLUMN), amount=amount).group_by("id").agg(
        nw.col("amount").sum()
    )  # fmt: skip
    found = sums.collect("polars", engine="streaming").sort("id")
    return _Amounts(found["amount"].to_list(), places)


def _places(lines: nw.LazyFrame[Any], largest: float) -> int:
    """Return the decimal places that the prices of lines have, as far as sums can hold them.

    Parameters
    ----------
    lines : LazyFrame
        The lines that count.
    largest : float
        The largest sum of absolute amounts.
    """
    asked = lines.select(places=needed_places(nw.col("UnitPrice"))).select(nw.col("places").max())
    needed = int(asked.collect("polars", engine="streaming")["places"].item())
    places = min(needed, MOST_PLACES)
    while largest * 10.0**places > _LARGEST_LONG_SUM:
        places -= 1
    if places < needed:
        log.warning(
            "amounts or unit prices have %s decimal places, more than can be summed exactly: each "
            "is rounded to %d",
            f"over {MOST_PLACES}" if needed > MOST_PLACES else needed, places,
        )  # fmt: skip
    return places


def _customers(
    table: nw.DataFrame[Any],
    amounts: _Amounts,
    key: str,
    config: FeaturesConfig,
    reference: datetime,
) -> Customers:
    n_lines = _integers(table, "n_lines")
    per = n_lines if config.amount is Amount.mean_per_line else np.ones_like(n_lines)
    last = table["last"].to_numpy().astype("datetime64[us]")
    age = np.datetime64(reference, "us").astype(np.int64) - last.astype(np.int64)
    columns: dict[str, Any] = {
        "Amount": _quotients(amounts, per),
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


def _quotients(amounts: _Amounts, divisors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the nearest floats to the exact quotients."""
    scale = 10**amounts.places
    # numpy makes floats of both first, which the largest are not; Python's division is exact.
    if isinstance(amounts.sums, np.ndarray) and np.abs(amounts.sums).max() <= 2**53:
        return np.asarray(amounts.sums / (divisors * scale))
    pairs = zip(amounts.sums, divisors.tolist(), strict=True)
    return np.array([int(total) / (n * scale) for total, n in pairs])


def _integers(table: nw.DataFrame[Any], column: str) -> NDArray[np.int64]:
    return table[column].to_numpy().astype(np.int64)


def _report(facts: Mapping[str, Any]) -> None:
    log.info(
        "%d lines from %s to %s: %s",
        facts["n_lines"], facts["first_line"], facts["last_line"],
        ", ".join(f"{name} dropped {n}" for name, n in facts["dropped"].items()),
    )  # fmt: skip
    aside = ", ".join(f"{n} by {column}" for column, n in facts["set_aside"].items())
    log.info(
        "%d customers, %d of them clustered%s",
        facts["customers"], facts["clustered"], f" (set aside: {aside})" if aside else "",
    )  # fmt: skip


def _warn_of_saturdays(table: nw.DataFrame[Any], config: FeaturesConfig) -> None:
    if isinstance(config, RfmCalendarConfig) and config.weekdays is Weekdays.kit:
        n_lines = int(_integers(table, "weekday_6").sum())
        if n_lines:
            log.warning(
                "%d lines on a %s are in no weekday column: features.weekdays=all adds it",
                n_lines, LEFT_OUT,
            )  # fmt: skip


def _check_constant(customers: Customers) -> None:
    constant = [name for name, v in customers.columns.items() if (v == v[:1]).all()]
    if len(constant) == len(customers.columns):
        raise DataError(
            f"every feature is constant over the {len(customers)} customers: there is nothing to "
            "cluster. Look at the drop rules and at features.outliers"
        )
    if constant:
        log.warning("constant columns, which tell nothing apart: %s", ", ".join(constant))
