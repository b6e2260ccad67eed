"""How rows become one row per customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Self

from segrun.config.dataset import DatasetConfig
from segrun.config.key import Effect, group, key, stated

data = partial(key, effect=Effect.DATA)


class DropMissing(Enum):
    """Which transaction lines count as incomplete and are dropped."""

    any_column = "any_column"
    needed_columns = "needed_columns"


class Cancellations(Enum):
    """What happens to lines that are cancelled."""

    keep = "keep"
    remove = "remove"


class Orders(Enum):
    """What NumberOfOrders counts."""

    auto = "auto"
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

    rule: OutlierRule = data(
        "quantile: keep low - spread .. high + spread of each column in turn, the kit's rule; "
        "none: keep every customer."
    )
    low: float = data("Lower quantile, share between 0 and 1.", minimum=0, maximum=1)
    high: float = data("Upper quantile, share between 0 and 1.", minimum=0, maximum=1)
    factor: float = data("Spread on either side, in multiples of (high - low).", minimum=0)
    columns: list[str] = data("Columns the rule looks at, in this order.")


@dataclass
class FeaturesConfig:
    """How rows become one row per customer."""

    name: str = data("Feature set: rfm, rfm_calendar, aggregate, spend, table, ...")
    warn_removed: float = key(
        "A rule (drop_missing, cancellations, where, outliers, ...) that leaves out more than this "
        "share of the lines, or of the money, is told as a warning.",
        0.2,
        effect=Effect.TELLING,
        minimum=0,
        maximum=1,
    )
    # Experiments that were stored before had no limit.
    allow_removed: float = data(
        "A rule that leaves out more than this share of the lines, or of the money, is an error; "
        "1 allows any.",
        1.0,
        minimum=0,
        maximum=1,
    )
    kind: str = stated("")

    def settled(self, dataset: DatasetConfig) -> Self:  # noqa: ARG002 - of some kinds
        """Return the settings with what they leave to the dataset."""
        return self


@dataclass
class RfmConfig(FeaturesConfig):
    """Recency, frequency, monetary value of transactions."""

    kind: str = stated("rfm")
    drop_missing: DropMissing = data(
        "any_column: drop a line that lacks any of the columns (the kit's rule); "
        "needed_columns: drop it only where a column the features need is missing."
    )
    cancellations: Cancellations = data(
        "keep or remove lines that are cancelled: whose invoice number is C before digits, and "
        "whose quantity or amount is negative."
    )
    orders: Orders = data(
        "NumberOfOrders counts lines (as the kit) or distinct invoices; auto: invoices where "
        "dataset.columns.invoice names their column, else lines."
    )
    amount: Amount = data(
        "Amount is the mean_per_line (as the kit) or the total, in the file's currency."
    )
    reference_date: str | None = data(
        "Date Recency is counted back from, ISO format; later lines are left out. A date without "
        "time means its end. "
        "null: the latest line of the data."
    )
    outliers: OutlierConfig = group("The outlier rule.")
    cancelled_when: str | None = data(
        "Which lines are cancelled, where cancellations removes them: a condition such as "
        "Quantity < 0; null: as cancellations says.",
        None,
    )

    @property
    def calendar(self) -> Weekdays | None:
        """Which weekday columns are built, and a column per month; None: none of them."""
        return None

    def settled(self, dataset: DatasetConfig) -> Self:
        """Return the settings with `orders` as the dataset has them."""
        if self.orders is not Orders.auto:
            return self
        return replace(self, orders=Orders.invoices if dataset.has_invoices else Orders.lines)


@dataclass
class RfmCalendarConfig(RfmConfig):
    """RFM and the number of lines per weekday and month."""

    kind: str = stated("rfm_calendar")
    weekdays: Weekdays = data(
        "kit: Friday, Monday, Sunday, Thursday, Tuesday, Wednesday; all: Saturday as well."
    )

    @property
    def calendar(self) -> Weekdays | None:
        """Which weekday columns are built."""
        return self.weekdays
