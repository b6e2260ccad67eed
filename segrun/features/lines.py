"""Which rows count: the drop rules, and how many rows each of them drops."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import Cancellations, DropMissing, Orders, RfmConfig
from segrun.data.datasets.rows import ID_COLUMN, Rows
from segrun.errors import ConfigError, DataError
from segrun.features.condition import condition

log = logging.getLogger("segrun.features")

INVOICE = "InvoiceNo"

#: Columns that no feature can do without, besides the customer id.
NEEDED = ("Quantity", "InvoiceDate", "UnitPrice")

_DAY = 86_400 * 1_000_000


@dataclass(frozen=True)
class Rule:
    """A reason to drop a line.

    Attributes
    ----------
    name : str
        The configuration key and value behind it.
    drops : narwhals.Expr
        True for a line that is dropped; null, like false, for one that is not.
    """

    name: str
    drops: nw.Expr


def drop_rules(transactions: Rows, config: RfmConfig) -> list[Rule]:
    """Return the rules of the configuration in the order in which they are applied."""
    _check_invoices(transactions, config)
    missing = nw.any_horizontal(
        *[nw.col(c).is_null() for c in _complete(transactions, config)], ignore_nulls=False
    )
    rules = [Rule(f"features.drop_missing={config.drop_missing.value}", missing)]
    if config.cancellations is Cancellations.remove:
        rules.append(_cancelled(transactions, config))
    if config.reference_date is not None:
        late = nw.col("InvoiceDate") > reference_date(config.reference_date)
        rules.append(Rule(f"features.reference_date={config.reference_date}", late))
    return rules


def _cancelled(transactions: Rows, config: RfmConfig) -> Rule:
    if config.cancelled_when is not None:
        name = f"features.cancelled_when={config.cancelled_when}"
        kinds = transactions.kinds
        return Rule(name, condition(config.cancelled_when, kinds, "features.cancelled_when"))
    # The number alone says nothing: CA-2016-1001 is an order from California.
    marked = nw.col(INVOICE).str.contains("^C[0-9]")
    amount = nw.col("Quantity") * nw.col("UnitPrice")
    back = ((nw.col("Quantity") < 0) | (amount < 0)).fill_null(value=False)
    return Rule("features.cancellations=remove", marked & back)


def _by_invoice(config: RfmConfig) -> bool:
    """Tell whether cancelled lines are known by their invoice numbers."""
    return config.cancellations is Cancellations.remove and config.cancelled_when is None


def _check_invoices(transactions: Rows, config: RfmConfig) -> None:
    if INVOICE in transactions.frame.collect_schema().names():
        return
    for setting, needed, other in (
        ("orders=invoices", config.orders is Orders.invoices, ""),
        (
            "cancellations=remove",
            _by_invoice(config),
            ", or say by features.cancelled_when which lines are cancelled",
        ),
    ):
        if needed:
            raise DataError(
                f"features.{setting} needs invoice numbers, which the transactions lack: name "
                f"their column in dataset.columns.invoice{other}"
            )


def _complete(transactions: Rows, config: RfmConfig) -> list[str]:
    """Return the columns that a line must have."""
    if config.drop_missing is DropMissing.any_column:
        return list(transactions.frame.collect_schema().names())
    needed = [ID_COLUMN, *NEEDED]
    if config.orders is Orders.invoices or _by_invoice(config):
        needed.append(INVOICE)
    return needed


def first_that_drops(rules: Sequence[Rule]) -> nw.Expr:
    """Return the number of the first rule that drops a line, from 1; 0 for lines that count."""
    number = nw.lit(0)
    for i, rule in reversed(list(enumerate(rules, start=1))):
        number = nw.when(rule.drops).then(nw.lit(i)).otherwise(number)
    return number


def counted(
    groups: nw.DataFrame[Any], rules: Sequence[Rule], read: Mapping[str, Any]
) -> dict[str, Any]:
    """Count rows read and dropped, each row by the first rule that drops it, and say so."""
    facts = tallied(groups, rules)
    n_lines, dropped = facts["n_lines"], facts["dropped"]
    said = ", ".join(f"{name} dropped {n}" for name, n in dropped.items())
    if n_lines == sum(dropped.values()):
        n_missing, names = read.get("n_missing", {}), read.get("names", {})
        gaps = ", ".join(f"{names.get(column, column)} {n}" for column, n in n_missing.items())
        missing = f" (values missing: {gaps})" if gaps else ""
        raise DataError(
            f"no line remains of {n_lines}: {said}{missing}. Relax one of these settings"
        )
    if "last_line" not in facts:
        log.info("%d lines: %s", n_lines, said)
        return facts
    log.info("%d lines from %s to %s: %s", n_lines, facts["first_line"], facts["last_line"], said)
    return facts


def tallied(groups: nw.DataFrame[Any], rules: Sequence[Rule]) -> dict[str, Any]:
    """Return what `counted` does, also where no row counts."""
    rule, n_lines = groups["rule"].to_numpy(), groups["n_lines"].to_numpy().astype(int)
    dropped = {r.name: int(n_lines[rule == i].sum()) for i, r in enumerate(rules, start=1)}
    facts: dict[str, Any] = {"n_lines": int(n_lines.sum()), "dropped": dropped}
    kept = groups.filter(nw.col("rule") == 0)
    if "last" not in groups.columns or kept["last"].is_null().all():
        return facts
    dates = {"first_line": kept["first"].min(), "last_line": kept["last"].max()}
    return facts | {name: date.isoformat() for name, date in dates.items()}


def reference_of(config: Any, facts: Mapping[str, Any]) -> datetime | None:
    """Return what days are counted back from: as configured, else the latest row that counts."""
    if config.reference_date is not None:
        return reference_date(config.reference_date)
    last = facts.get("last_line")
    return None if last is None else datetime.fromisoformat(last)


def days_before(moments: nw.Series[Any], reference: datetime | None) -> NDArray[np.float64]:
    """Return whole days from moments to a reference; nan where either is missing."""
    if reference is None:
        return np.full(len(moments), np.nan)
    found = moments.to_numpy().astype("datetime64[us]")
    age = np.datetime64(reference, "us").astype(np.int64) - found.astype(np.int64)
    return np.where(np.isnat(found), np.nan, (age // _DAY).astype(np.float64))


def reference_date(text: str) -> datetime:
    """Read `features.reference_date`; a date without time means the end of that day."""
    try:
        # Refuses texts with a time: midnight, where it is written out, is meant.
        return datetime.combine(date.fromisoformat(text), time.max)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"features.reference_date={text!r} is no ISO date: write 2011-12-09 (its end counts) "
            "or 2011-12-09T12:50"
        ) from None
    if moment.tzinfo is not None:
        raise ConfigError(
            f"features.reference_date={text!r} has a time zone, which the transactions lack: "
            "write it in local time"
        )
    return moment
