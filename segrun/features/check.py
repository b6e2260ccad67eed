"""What the feature settings must fulfil, checked before any data is read."""

from __future__ import annotations

import math
from collections.abc import Mapping

from segrun.config import (
    AggregateConfig,
    Cancellations,
    ColumnKind,
    DatasetConfig,
    Encode,
    EncodedColumn,
    FeaturesConfig,
    OutlierConfig,
    OutlierRule,
    RatingsConfig,
    RfmCalendarConfig,
    RfmConfig,
    TableConfig,
    Weekdays,
)
from segrun.data.datasets.form import Form, form_of, id_of, kinds_of
from segrun.errors import ConfigError
from segrun.features import declared, encode, ratings, table
from segrun.features.calendar import MONTHS, weekdays
from segrun.features.condition import condition
from segrun.features.reference import reference_date

#: Columns that rfm knows besides its features, months and weekdays: see ``segrun.features.about``.
ABOUT = ("Country", "FirstPurchase", "Invoices", "TotalSpent")


def feature_names(config: FeaturesConfig, dataset: DatasetConfig | None = None) -> list[str] | None:
    """Return the names of the features in order; None where only the data will tell.

    Parameters
    ----------
    config : FeaturesConfig
        The feature set.
    dataset : DatasetConfig, optional
        Where the rows come from; tells texts from numbers.
    """
    kinds = kinds_of(dataset) if dataset is not None else {}
    if isinstance(config, AggregateConfig):
        return _aggregate_names(config, kinds)
    if isinstance(config, TableConfig):
        return table.names(config, kinds)
    if not isinstance(config, RfmConfig):
        return None
    names = ["Amount", "NumberOfOrders", "Recency"]
    if isinstance(config, RfmCalendarConfig):
        names += [*weekdays(config.weekdays), *MONTHS]
    return names


def column_names(config: FeaturesConfig, dataset: DatasetConfig) -> list[str] | None:
    """Return the columns that customers may have, clustered or not; None where nobody knows yet.

    A text column counts by its own name.

    Parameters
    ----------
    config : FeaturesConfig
        The feature set.
    dataset : DatasetConfig
        Where the rows come from.
    """
    names = feature_names(config, dataset)
    if isinstance(config, RfmConfig):
        return [*(names or []), *ABOUT, *weekdays(Weekdays.all), *MONTHS]
    if isinstance(config, AggregateConfig):
        return [*(names or []), *config.columns] if names is not None else None
    if isinstance(config, TableConfig) and kinds_of(dataset):
        return [*kinds_of(dataset), *config.columns]
    return None


def text_names(config: FeaturesConfig, dataset: DatasetConfig) -> list[str]:
    """Return the columns of `column_names` that stay texts, as far as the configuration tells.

    Parameters
    ----------
    config : FeaturesConfig
        The feature set.
    dataset : DatasetConfig
        Where the rows come from.
    """
    kinds = kinds_of(dataset)
    if isinstance(config, RfmConfig):
        return ["Country"]
    if isinstance(config, AggregateConfig):
        columns = declared.declared(config, kinds, {})
        return [c.name for c in columns if c.text and not _ordinal(c.config)]
    if isinstance(config, TableConfig):
        used = table.chosen(config, kinds)
        texts = [name for name in used if kinds[name] is ColumnKind.text]
        return [name for name in texts if not _ordinal(used[name])]
    return []


def _ordinal(column: EncodedColumn) -> bool:
    return column.cluster and column.encode is Encode.ordinal


def check(config: FeaturesConfig, dataset: DatasetConfig | None = None) -> None:
    """Refuse settings that no data can satisfy.

    Parameters
    ----------
    config : FeaturesConfig
        The feature set.
    dataset : DatasetConfig, optional
        Where the rows come from: whether they have what the features need.

    Raises
    ------
    ConfigError
        Naming the key, its value and what is allowed.
    """
    if dataset is not None:
        _check_form(config, dataset)
    kinds = kinds_of(dataset) if dataset is not None else {}
    if isinstance(config, RfmConfig):
        _check_rfm(config, kinds)
    elif isinstance(config, AggregateConfig):
        _check_aggregate(config, kinds)
    elif isinstance(config, TableConfig):
        table.check(config, kinds)
    elif isinstance(config, RatingsConfig):
        ratings.check(config, kinds)
    names = feature_names(config, dataset)
    taken = id_of(dataset) if dataset is not None else None
    if names is not None and taken in names:
        raise ConfigError(f"features.columns.{taken}: the id has this name: choose another")
    if isinstance(config, RfmConfig | AggregateConfig | TableConfig):
        if config.reference_date is not None:
            reference_date(config.reference_date)
        _check_outliers(config.outliers, names, config.name)


def _check_form(config: FeaturesConfig, dataset: DatasetConfig) -> None:
    form = form_of(dataset)
    if form is None:
        return
    fits: tuple[Form, ...] = tuple(Form)
    if isinstance(config, RfmConfig):
        fits = (Form.transactions,)
    elif isinstance(config, TableConfig):
        fits = (Form.table,)
    if form not in fits:
        raise ConfigError(
            f"features={config.name} is built of {fits[0].value}, but dataset={dataset.name} "
            f"delivers {form.value}: choose another dataset, or features=aggregate (rows), "
            "features=ratings (users and items) or features=table (a table with one row per id)"
        )


def _check_rfm(config: RfmConfig, kinds: Mapping[str, ColumnKind]) -> None:
    expected = "rfm_calendar" if isinstance(config, RfmCalendarConfig) else "rfm"
    if config.name != expected:
        raise ConfigError(
            f"features.name={config.name!r} has the keys of {expected!r}: choose the feature set "
            "with features=rfm or features=rfm_calendar"
        )
    if config.cancelled_when is None:
        return
    if config.cancellations is Cancellations.keep:
        raise ConfigError(
            f"features.cancelled_when={config.cancelled_when!r} says what is cancelled, but "
            "features.cancellations=keep keeps it: set features.cancellations=remove as well"
        )
    if kinds:
        condition(config.cancelled_when, kinds, "features.cancelled_when")


def _check_aggregate(config: AggregateConfig, kinds: Mapping[str, ColumnKind]) -> None:
    for column in declared.declared(config, kinds, {}):
        encode.check(column.config, f"features.columns.{column.key}", text=column.text)
    declared.date_column(config, kinds)
    if config.where is not None:
        condition(config.where, kinds, "features.where")


def _aggregate_names(config: AggregateConfig, kinds: Mapping[str, ColumnKind]) -> list[str] | None:
    if any(column.per is not None and not column.values for column in config.columns.values()):
        return None
    names: list[str] = []
    for column in declared.declared(config, kinds, {}):
        own = encode.encoded_names(column.config, column.name, text=column.text)
        if own is None:
            return None
        names += own
    return names


def _check_outliers(rule: OutlierConfig, names: list[str] | None, features: str) -> None:
    if rule.rule is OutlierRule.none:
        return
    if not rule.low < rule.high:
        raise ConfigError(
            f"features.outliers.low={rule.low} and features.outliers.high={rule.high} must be "
            "quantiles with 0 <= low < high <= 1"
        )
    if math.isinf(rule.factor):
        raise ConfigError(
            "features.outliers.factor=inf: to keep every customer, set features.outliers.rule=none"
        )
    unknown = [column for column in rule.columns if names is not None and column not in names]
    if unknown:
        raise ConfigError(
            f"features.outliers.columns names {', '.join(unknown)}, which {features} lacks. "
            f"Its columns: {', '.join(names or [])}"
        )
