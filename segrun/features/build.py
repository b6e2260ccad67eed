"""All feature sets: checked before any data is read, built, or merged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from segrun.config import (
    ColumnKind,
    DatasetConfig,
    FeaturesConfig,
    Orders,
    OutlierConfig,
    OutlierRule,
    Weekdays,
    check_kind,
)
from segrun.data.datasets import Form, Rows, dataset_of
from segrun.errors import ConfigError
from segrun.features import aggregate, ratings, rfm, table
from segrun.features.built import Built, check_constant, rule_of
from segrun.features.declared import date_column
from segrun.features.partial import Definition
from segrun.features.removed import by_reading, tell

Kinds = Mapping[str, ColumnKind]


def _without_about(build: Callable[..., Built]) -> Callable[..., Built]:
    return lambda rows, config, fitted, _: build(rows, config, fitted)


def _first_date(_: Any, kinds: Kinds) -> str | None:
    return next((name for name, kind in kinds.items() if kind is ColumnKind.date), None)


@dataclass(frozen=True)
class FeatureSet:
    """One kind of feature set.

    Every function takes its configuration, of the kind's schema, and what the dataset's columns
    hold, as far as this is known before it is read.

    Attributes
    ----------
    check : callable
        Refuses settings that no data can satisfy.
    build : callable
        Takes rows, the configuration, what was fitted of other data (or None) and whether columns
        that are not clustered on are looked for; returns `Built`.
    names : callable
        The features in order; None where only the data will tell.
    columns : callable
        The columns that customers may have besides the features; None where nobody knows.
    texts : callable
        Those of them that stay texts.
    built_of : sequence of Form
        Forms of rows that it is built of.
    define : callable or None
        What is asked of rows batch by batch; None where columns are no sums over rows.
    date : callable
        The column that orders rows, None where they have none.
    titles : callable
        What to call features whose names say something else than what they are.
    sparse : bool
        Whether most values are zero and are not stored.
    """

    check: Callable[[Any, Kinds], None]
    build: Callable[..., Built]
    names: Callable[[Any, Kinds], list[str] | None]
    columns: Callable[[Any, Kinds], Sequence[str] | None] = lambda *_: None
    texts: Callable[[Any, Kinds], list[str]] = lambda *_: []
    built_of: Sequence[Form] = tuple(Form)
    define: Callable[[Any, Any, Mapping[str, Any] | None], Definition] | None = None
    date: Callable[[Any, Kinds], str | None] = _first_date
    titles: Callable[[Any], dict[str, str]] = lambda _: {}
    sparse: bool = False


def feature_set_of(config: FeaturesConfig) -> FeatureSet:
    """Return what is done with a feature set.

    Raises
    ------
    ConfigError
        If it states no kind, or one that has other keys.
    """
    check_kind("features", config.kind, config)
    return FEATURES[config.kind]


_RFM = FeatureSet(
    rfm.check,
    lambda rows, config, _, described: rfm.build(rows, config, described=described),
    lambda config, _: rfm.names(config),
    lambda *_: [*rfm.ABOUT, *rfm.weekdays(Weekdays.all), *rfm.MONTHS],
    lambda *_: ["Country"],
    (Form.transactions,),
    rfm.define,
    # The kit counts lines by the name NumberOfOrders, and Invoices may stand beside them.
    titles=lambda config: (
        {"NumberOfOrders": "NumberOfOrders (lines)"} if config.orders is Orders.lines else {}
    ),
)

#: By kind; `segrun.config.registry` has the keys of each.
FEATURES: dict[str, FeatureSet] = {
    "rfm": _RFM,
    "rfm_calendar": _RFM,
    "aggregate": FeatureSet(
        aggregate.check,
        _without_about(aggregate.build),
        aggregate.names,
        lambda config, kinds: None if aggregate.names(config, kinds) is None else [*config.columns],
        aggregate.texts,
        define=aggregate.define,
        date=date_column,
    ),
    "table": FeatureSet(
        table.check,
        _without_about(table.build),
        table.names,
        lambda config, kinds: [*kinds, *config.columns] if kinds else None,
        table.texts,
        (Form.table,),
    ),
    "ratings": FeatureSet(
        ratings.check, _without_about(ratings.build), lambda *_: None, sparse=True
    ),
}


def build(
    source: Rows,
    config: FeaturesConfig,
    fitted: Mapping[str, Any] | None = None,
    *,
    about: bool = False,
    cluster: bool = True,
) -> Built:
    """Build the features of every customer.

    Parameters
    ----------
    source : Rows
        What the dataset delivers; `check` says which feature set takes what.
    config : FeaturesConfig
        The feature set and its settings.
    fitted : mapping, optional
        ``facts["fitted"]`` of an earlier result: the same columns are built of other data, with
        the values, categories and fillings of then.
    about : bool, default=False
        Whether rfm looks for columns that are not clustered on, which takes a pass of its own.
    cluster : bool, default=True
        Whether they are to be clustered, which takes a feature that is not constant.

    Returns
    -------
    Built
        Customers before and after the outlier rule, and what was dropped.

    Raises
    ------
    ConfigError
        If a setting does not fit what the data turn out to be.
    DataError
        If the data cannot give the features, or a rule leaves out more than is allowed.
    """
    features = feature_set_of(config)
    found = features.build(source, config, fitted, about)
    lost = {**by_reading(source.facts), **found.facts.get("removed", {})}
    tell(lost, config)
    found = replace(found, facts={**found.facts, "removed": lost})
    if cluster and not features.sparse:
        check_constant(found.customers)
    return found


def define(source: Rows, config: FeaturesConfig, fitted: Mapping[str, Any] | None) -> Definition:
    """Return what is asked of rows batch by batch, and what becomes of the merged answers.

    Raises
    ------
    ConfigError
        If what the feature set makes of rows cannot be merged.
    DataError
        If the rows have a value that the earlier result does not know, and that is refused.
    """
    check_mergeable(config)
    features = feature_set_of(config)
    assert features.define is not None
    return features.define(source, config, fitted)


def check_mergeable(config: FeaturesConfig) -> None:
    """Refuse a feature set whose columns are no sums over rows; see `define`."""
    if feature_set_of(config).define is None:
        *kinds, last = [kind for kind, one in FEATURES.items() if one.define]
        raise ConfigError(
            f"features.name={config.name} cannot be merged batch by batch, only those of kind "
            f"{', '.join(kinds)} and {last} can. segrun apply RUN INPUT gives new data the "
            "segments of a run"
        )


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
    features = feature_set_of(config)
    if dataset is not None:
        _check_form(config, dataset)
    kinds = _kinds(dataset)
    features.check(config, kinds)
    names = features.names(config, kinds)
    taken = None if dataset is None else dataset_of(dataset).id_column(dataset)
    if names is not None and taken in names:
        raise ConfigError(f"features.columns.{taken}: the id has this name: choose another")
    _check_outliers(rule_of(config), names, config.name)


def feature_names(config: FeaturesConfig, dataset: DatasetConfig | None = None) -> list[str] | None:
    """Return the names of the features in order; None where only the data will tell."""
    return feature_set_of(config).names(config, _kinds(dataset))


def column_names(config: FeaturesConfig, dataset: DatasetConfig) -> list[str] | None:
    """Return the columns that customers may have, clustered or not; None where nobody knows yet.

    A text column counts by its own name.
    """
    others = feature_set_of(config).columns(config, _kinds(dataset))
    return None if others is None else [*(feature_names(config, dataset) or []), *others]


def text_names(config: FeaturesConfig, dataset: DatasetConfig) -> list[str]:
    """Return the columns of `column_names` that stay texts, as far as the configuration tells."""
    return feature_set_of(config).texts(config, _kinds(dataset))


def _kinds(dataset: DatasetConfig | None) -> Kinds:
    return {} if dataset is None else dataset_of(dataset).columns(dataset)


def _check_form(config: FeaturesConfig, dataset: DatasetConfig) -> None:
    form, fits = dataset_of(dataset).form(dataset), feature_set_of(config).built_of
    if form not in fits:
        raise ConfigError(
            f"features={config.name} is built of {fits[0].value}, but dataset={dataset.name} "
            f"delivers {form.value}: choose another dataset, or features=aggregate (rows), "
            "features=ratings (users and items) or features=table (a table with one row per id)"
        )


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
