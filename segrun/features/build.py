"""The one door to all feature sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from segrun.config import AggregateConfig, FeaturesConfig, RatingsConfig, RfmConfig, TableConfig
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError
from segrun.features.built import Built, check_constant
from segrun.features.partial import Definition
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
    found = _build(source, config, fitted, about=about)
    lost = {**by_reading(source.facts), **found.facts.get("removed", {})}
    tell(lost, config)
    found = replace(found, facts={**found.facts, "removed": lost})
    if cluster and not isinstance(config, RatingsConfig):
        check_constant(found.customers)
    return found


def define(source: Rows, config: FeaturesConfig, fitted: Mapping[str, Any] | None) -> Definition:
    """Return what is asked of rows batch by batch, and what becomes of the merged answers.

    Parameters
    ----------
    source, config, fitted
        As `build` takes them.

    Raises
    ------
    ConfigError
        If what the feature set makes of rows cannot be merged.
    DataError
        If the rows have a value that the earlier result does not know, and that is refused.
    """
    check_mergeable(config)
    if isinstance(config, RfmConfig):
        from segrun.features import rfm

        return rfm.define(source, config)
    from segrun.features import aggregate

    assert isinstance(config, AggregateConfig)
    return aggregate.define(source, config, fitted or {})


def check_mergeable(config: FeaturesConfig) -> None:
    """Refuse a feature set whose columns are no sums over rows; see `define`."""
    if not isinstance(config, RfmConfig | AggregateConfig):
        raise ConfigError(
            f"features.name={config.name} cannot be merged batch by batch, only rfm, rfm_calendar, "
            "spend and aggregate can. segrun apply RUN INPUT gives new data the segments of a run"
        )


def _build(
    source: Rows,
    config: FeaturesConfig,
    fitted: Mapping[str, Any] | None,
    *,
    about: bool,
) -> Built:
    if isinstance(config, RfmConfig):
        from segrun.features import rfm

        return rfm.build(source, config, about=about)
    if isinstance(config, AggregateConfig):
        from segrun.features import aggregate

        return aggregate.build(source, config, fitted)
    if isinstance(config, RatingsConfig):
        from segrun.features import ratings

        return ratings.build(source, config, fitted)
    from segrun.features import table

    assert isinstance(config, TableConfig)
    return table.build(source, config, fitted)
