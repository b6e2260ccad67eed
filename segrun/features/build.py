"""The one door to all feature sets: checked before any data is read, built, or merged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from segrun.config import DatasetConfig, FeaturesConfig, OutlierConfig, OutlierRule
from segrun.data.datasets import Rows, dataset_of
from segrun.errors import ConfigError
from segrun.features.built import Built, check_constant, rule_of
from segrun.features.partial import Definition
from segrun.features.registry import FEATURES, Kinds, feature_set_of
from segrun.features.removed import by_reading, tell


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
