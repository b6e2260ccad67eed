"""Which transaction lines count: the drop rules, counted one by one, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw

from segrun.config import Cancellations, DropMissing, FeaturesConfig
from segrun.datasets.transactions import Transactions

#: Columns that no feature can do without, besides the customer id.
NEEDED = ("InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice")


@dataclass(frozen=True)
class Rule:
    """A reason to drop a line.

    Attributes
    ----------
    name : str
        The configuration key and value behind it.
    drops : narwhals.Expr
        True for a line that is dropped.
    """

    name: str
    drops: nw.Expr


def drop_rules(transactions: Transactions, config: FeaturesConfig) -> list[Rule]:
    """Return the rules of the configuration in the order in which they are applied."""
    needed = (transactions.id_column, *NEEDED)
    if config.drop_missing is DropMissing.any_column:
        columns = list(transactions.frame.collect_schema().names())
    else:
        columns = list(needed)
    missing = nw.any_horizontal(*[nw.col(c).is_null() for c in columns], ignore_nulls=False)
    rules = [Rule(f"features.drop_missing={config.drop_missing.value}", missing)]
    if config.cancellations is Cancellations.remove:
        cancelled = nw.col("InvoiceNo").str.starts_with("C")
        rules.append(Rule("features.cancellations=remove", cancelled))
    if config.reference_date is not None:
        late = nw.col("InvoiceDate") > datetime.fromisoformat(config.reference_date)
        rules.append(Rule(f"features.reference_date={config.reference_date}", late))
    return rules


def kept_lines(frame: nw.LazyFrame[Any], rules: list[Rule]) -> nw.LazyFrame[Any]:
    """Return the lines that no rule drops."""
    for rule in rules:
        frame = frame.filter(~rule.drops)
    return frame
