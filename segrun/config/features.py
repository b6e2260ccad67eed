"""How rows become one row per customer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from segrun.config.key import key


class DropMissing(Enum):
    """Which transaction lines count as incomplete and are dropped."""

    any_column = "any_column"
    needed_columns = "needed_columns"


class Cancellations(Enum):
    """What happens to lines whose invoice number starts with C."""

    keep = "keep"
    remove = "remove"


class Orders(Enum):
    """What NumberOfOrders counts."""

    lines = "lines"
    invoices = "invoices"


class Amount(Enum):
    """What Amount measures."""

    mean_per_line = "mean_per_line"
    total = "total"


class OutlierRule(Enum):
    """Which customers are set aside before clustering."""

    quantile = "quantile"
    none = "none"


class Weekdays(Enum):
    """Which weekday columns are built."""

    kit = "kit"
    all = "all"


@dataclass
class OutlierConfig:
    """Customers set aside before clustering."""

    rule: OutlierRule = key(
        "quantile: keep low - spread .. high + spread of each column in turn, the kit's rule; "
        "none: keep every customer."
    )
    low: float = key("Lower quantile, share between 0 and 1.")
    high: float = key("Upper quantile, share between 0 and 1.")
    factor: float = key("Spread on either side, in multiples of (high - low).")
    columns: list[str] = key("Columns the rule looks at, in this order.")


@dataclass
class FeaturesConfig:
    """How rows become one row per customer."""

    name: str = key("Feature set: rfm, rfm_calendar, aggregate, spend, table, ...")


@dataclass
class RfmConfig(FeaturesConfig):
    """Recency, frequency, monetary value of transactions."""

    drop_missing: DropMissing = key(
        "any_column: drop a line that lacks any of the columns (the kit's rule); "
        "needed_columns: drop it only where a column the features need is missing."
    )
    cancellations: Cancellations = key("keep or remove lines whose invoice number starts with C.")
    orders: Orders = key("NumberOfOrders counts lines (as the kit) or distinct invoices.")
    amount: Amount = key(
        "Amount is the mean_per_line (as the kit) or the total, in the file's currency."
    )
    reference_date: str | None = key(
        "Date Recency is counted back from, ISO format; later lines are left out. A date without "
        "time means its end. "
        "null: the latest line of the data."
    )
    outliers: OutlierConfig = key("The outlier rule.")


@dataclass
class RfmCalendarConfig(RfmConfig):
    """RFM and the number of lines per weekday and month."""

    weekdays: Weekdays = key(
        "kit: Friday, Monday, Sunday, Thursday, Tuesday, Wednesday; all: Saturday as well."
    )
