"""Columns declared in YAML, tables and ratings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from omegaconf import MISSING

from segrun.config.features import FeaturesConfig, OutlierConfig
from segrun.config.key import Effect, group, key, stated


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

    encode: Encode | None = key(
        "Texts only. one_hot: a 0/1 column NAME=VALUE per category; ordinal: the category's place "
        "in `categories`, from 0; null: one_hot.",
        None,
        effect=Effect.DATA,
    )
    categories: list[str] = key(
        "Texts only. The categories in order; empty: all that are found, in order of the alphabet.",
        [],
        effect=Effect.DATA,
    )
    max_categories: int = key(
        "More categories than this are not taken as found.", 20, effect=Effect.DATA
    )
    unknown: Unknown = key(
        "A text that is no category, of `categories` or of the data that were learned from: refuse "
        "or ignore (0 in every one_hot column, -1 in an ordinal one).",
        Unknown.refuse,
        effect=Effect.DATA,
    )
    missing: Any = key(
        "Where there is no value: refuse, or put the median, mean (numbers) or most_frequent of "
        "the others, or this number or text.",
        "refuse",
        effect=Effect.DATA,
    )
    cluster: bool = key(
        "false: the column is not clustered on, but kept in about.parquet for descriptions.",
        True,
        effect=Effect.DATA,
    )


@dataclass
class AggregateColumn(EncodedColumn):
    """One column over the rows of an entity."""

    function: Function = key(
        "count (rows, or values of `of`), distinct, sum, mean, min, max, first, last (by "
        "features.date), share (of the rows or, with `of`, of their sum, that fulfil `where` or "
        "belong to each value of `per`), days_since (the latest date until the reference date), "
        "days_since_first.",
        MISSING,
        effect=Effect.DATA,
    )
    of: str | None = key(
        "Column that is measured, or a product of two: Quantity * UnitPrice.",
        None,
        effect=Effect.DATA,
    )
    where: str | None = key(
        "Only rows that fulfil a condition, such as Country == 'France' and Quantity > 0.",
        None,
        effect=Effect.DATA,
    )
    per: str | None = key(
        "Text column: one column NAME_VALUE for the rows of each of its values.",
        None,
        effect=Effect.DATA,
    )
    values: list[str] = key(
        "Values of `per`, in order; empty: all that are found.", [], effect=Effect.DATA
    )
    max_values: int = key("More values than this are not taken as found.", 50, effect=Effect.DATA)


@dataclass
class AggregateConfig(FeaturesConfig):
    """Columns declared in YAML, each a measure over the rows of an entity."""

    kind: str = stated("aggregate")
    columns: dict[str, AggregateColumn] = key(
        "The columns in order, by name.", {}, effect=Effect.DATA
    )
    where: str | None = key(
        "Rows that count fulfil this condition; null: all.", None, effect=Effect.DATA
    )
    date: str | None = key(
        "Date column that orders rows, for first, last and reference_date; null: the only one.",
        effect=Effect.DATA,
    )
    reference_date: str | None = key(
        "Date that days_since counts back from, ISO format; later rows are left out. A date "
        "without time means its end. null: the latest row of the data.",
        effect=Effect.DATA,
    )
    outliers: OutlierConfig = group("The outlier rule.")


@dataclass
class TableConfig(FeaturesConfig):
    """The columns of a table with one row per entity."""

    kind: str = stated("table")
    columns: dict[str, EncodedColumn] = key(
        "Settings by column of dataset.columns. A column that is not here has the usual ones.",
        {},
        effect=Effect.DATA,
    )
    only_named: bool = key(
        "true: columns that are not in `columns` are left out.", effect=Effect.DATA
    )
    reference_date: str | None = key(
        "Dates become days before this one, ISO format; null: the latest date in the column.",
        effect=Effect.DATA,
    )
    outliers: OutlierConfig = group("The outlier rule.")


@dataclass
class RatingsConfig(FeaturesConfig):
    """One row per user and one column per item, mostly zeros."""

    kind: str = stated("ratings")
    item: str = key("Column of the item.", effect=Effect.DATA)
    rating: str | None = key("Column of the rating; null: there is none.", effect=Effect.DATA)
    time: str | None = key(
        "Column that says which of several ratings is the last.", effect=Effect.DATA
    )
    title: str | None = key("Column of what items are called; null: their ids.", effect=Effect.DATA)
    values: Values = key(
        "rating; ones: 1 for a user and an item; counts: the lines of a user and an item; auto: "
        "rating where there is one, else ones. What is not there is 0.",
        effect=Effect.DATA,
    )
    duplicates: Duplicates = key(
        "Several ratings of an item by a user: refuse, or take the last (by `time`, else by line) "
        "or the mean.",
        effect=Effect.DATA,
    )
    min_user_ratings: int = key(
        "Users with fewer ratings are set aside, at least 1; counted over the items that are kept.",
        effect=Effect.DATA,
        minimum=1,
    )
    min_item_ratings: int = key(
        "Items with fewer ratings are left out, at least 1.", effect=Effect.DATA, minimum=1
    )
    centre: Centre = key(
        "What is taken off every rating: the user's mean, the item's mean or none; what is not "
        "there stays 0.",
        effect=Effect.DATA,
    )
