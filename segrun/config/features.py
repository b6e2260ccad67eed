"""How rows become one row per customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any, Self

from omegaconf import MISSING

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


class Function(Enum):
    """What a declared column measures over the rows of an entity."""

    count = "count"
    distinct = "distinct"
    sum = "sum"
    mean = "mean"
    min = "min"
    max = "max"
    first = "first"
    last = "last"
    share = "share"
    days_since = "days_since"
    days_since_first = "days_since_first"


class Encode(Enum):
    """How texts become numbers."""

    one_hot = "one_hot"
    ordinal = "ordinal"


class Unknown(Enum):
    """What happens to a category that is not among the known ones."""

    refuse = "refuse"
    ignore = "ignore"


class Values(Enum):
    """What stands in a matrix of users and items."""

    auto = "auto"
    rating = "rating"
    ones = "ones"
    counts = "counts"


class Duplicates(Enum):
    """What becomes of several ratings of one item by one user."""

    refuse = "refuse"
    last = "last"
    mean = "mean"


class Centre(Enum):
    """What is taken off every rating."""

    none = "none"
    user = "user"
    item = "item"


@dataclass
class EncodedColumn:
    """How a column becomes numbers that can be clustered."""

    encode: Encode | None = data(
        "Texts only. one_hot: a 0/1 column NAME=VALUE per category; ordinal: the category's place "
        "in `categories`, from 0; null: one_hot.",
        None,
    )
    categories: list[str] = data(
        "Texts only. The categories in order; empty: all that are found, in order of the alphabet.",
        [],
    )
    max_categories: int = data("More categories than this are not taken as found.", 20)
    unknown: Unknown = data(
        "A text that is no category, of `categories` or of the data that were learned from: refuse "
        "or ignore (0 in every one_hot column, -1 in an ordinal one).",
        Unknown.refuse,
    )
    missing: Any = data(
        "Where there is no value: refuse, or put the median, mean (numbers) or most_frequent of "
        "the others, or this number or text.",
        "refuse",
    )
    cluster: bool = data(
        "false: the column is not clustered on, but kept in about.parquet for descriptions.", True
    )


@dataclass
class AggregateColumn(EncodedColumn):
    """One column over the rows of an entity."""

    function: Function = data(
        "count (rows, or values of `of`), distinct, sum, mean, min, max, first, last (by "
        "features.date), share (of the rows or, with `of`, of their sum, that fulfil `where` or "
        "belong to each value of `per`), days_since (the latest date until the reference date), "
        "days_since_first.",
        MISSING,
    )
    of: str | None = data(
        "Column that is measured, or a product of two: Quantity * UnitPrice.", None
    )
    where: str | None = data(
        "Only rows that fulfil a condition, such as Country == 'France' and Quantity > 0.", None
    )
    per: str | None = data(
        "Text column: one column NAME_VALUE for the rows of each of its values.", None
    )
    values: list[str] = data("Values of `per`, in order; empty: all that are found.", [])
    max_values: int = data("More values than this are not taken as found.", 50)


@dataclass
class AggregateConfig(FeaturesConfig):
    """Columns declared in YAML, each a measure over the rows of an entity."""

    kind: str = stated("aggregate")
    columns: dict[str, AggregateColumn] = data("The columns in order, by name.", {})
    where: str | None = data("Rows that count fulfil this condition; null: all.", None)
    date: str | None = data(
        "Date column that orders rows, for first, last and reference_date; null: the only one."
    )
    reference_date: str | None = data(
        "Date that days_since counts back from, ISO format; later rows are left out. A date "
        "without time means its end. null: the latest row of the data."
    )
    outliers: OutlierConfig = group("The outlier rule.")


@dataclass
class TableConfig(FeaturesConfig):
    """The columns of a table with one row per entity."""

    kind: str = stated("table")
    columns: dict[str, EncodedColumn] = data(
        "Settings by column of dataset.columns. A column that is not here has the usual ones.", {}
    )
    only_named: bool = data("true: columns that are not in `columns` are left out.")
    reference_date: str | None = data(
        "Dates become days before this one, ISO format; null: the latest date in the column."
    )
    outliers: OutlierConfig = group("The outlier rule.")


@dataclass
class RatingsConfig(FeaturesConfig):
    """One row per user and one column per item, mostly zeros."""

    kind: str = stated("ratings")
    item: str = data("Column of the item.")
    rating: str | None = data("Column of the rating; null: there is none.")
    time: str | None = data("Column that says which of several ratings is the last.")
    title: str | None = data("Column of what items are called; null: their ids.")
    values: Values = data(
        "rating; ones: 1 for a user and an item; counts: the lines of a user and an item; auto: "
        "rating where there is one, else ones. What is not there is 0."
    )
    duplicates: Duplicates = data(
        "Several ratings of an item by a user: refuse, or take the last (by `time`, else by line) "
        "or the mean."
    )
    min_user_ratings: int = data(
        "Users with fewer ratings are set aside, at least 1; counted over the items that are kept.",
        minimum=1,
    )
    min_item_ratings: int = data("Items with fewer ratings are left out, at least 1.", minimum=1)
    centre: Centre = data(
        "What is taken off every rating: the user's mean, the item's mean or none; what is not "
        "there stays 0."
    )
