"""The outlier rule: which customers are set aside before clustering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import FeaturesConfig, OutlierConfig, OutlierRule
from segrun.errors import ConfigError, DataError
from segrun.rundir.customers import Customers


@dataclass(frozen=True)
class Bounds:
    """Between what a column keeps a customer.

    Attributes
    ----------
    column : str
        Name of the feature.
    low, high : float
        In its unit, both included.
    """

    column: str
    low: float
    high: float

    def keep(self, customers: Customers) -> NDArray[np.bool_]:
        """Return which customers stay."""
        values = customers.columns[self.column]
        return np.asarray((values >= self.low) & (values <= self.high))


#: That of feature sets that have none of their own.
_NO_RULE = OutlierConfig(OutlierRule.none, 0.0, 1.0, 0.0, [])


def rule_of(config: FeaturesConfig) -> OutlierConfig:
    """Return the outlier rule of a feature set."""
    return getattr(config, "outliers", _NO_RULE)


def without_rule(config: FeaturesConfig) -> FeaturesConfig:
    """Return a feature set that keeps every customer."""
    if not hasattr(config, "outliers"):
        return config
    changes: dict[str, Any] = {"outliers": replace(rule_of(config), rule=OutlierRule.none)}
    return replace(config, **changes)


def set_aside(customers: Customers, config: OutlierConfig) -> tuple[Customers, dict[str, int]]:
    """Return the customers that stay, and how many each column set aside.

    Raises
    ------
    ConfigError
        If it names a column that the customers lack.
    DataError
        If the rule leaves nobody, as close quantiles of few customers can.
    """
    rows, removed = staying(customers, config)
    return (customers if len(rows) == len(customers) else customers.take(rows)), removed


def staying(
    customers: Customers, config: OutlierConfig
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Return the rows of the customers that stay, and what `set_aside` counts."""
    rows, removed = np.arange(len(customers)), {}
    for bounds, stays in _steps(customers, config):
        removed[bounds.column] = int((~stays).sum())
        rows = rows[stays]
    return rows, removed


def bounds_of(customers: Customers, config: OutlierConfig) -> list[Bounds]:
    """Return the bounds that the rule has found: a customer within all of them stays.

    Parameters
    ----------
    customers : Customers
        Every customer, before the rule.
    config : OutlierConfig
        The rule.
    """
    return [bounds for bounds, _ in _steps(customers, config)]


def _steps(
    customers: Customers, config: OutlierConfig
) -> Iterator[tuple[Bounds, NDArray[np.bool_]]]:
    """Yield the bounds of each column in turn, and which of the customers left they keep.

    The reference kit's rule: per column in order, with quantiles of the customers that are left,
    keep ``[low - factor * spread, high + factor * spread]`` where spread is high - low
    (``generate_features`` of oneapi-src/customer-segmentation).
    """
    if config.rule is OutlierRule.none:
        return
    unknown = [column for column in config.columns if column not in customers.columns]
    if unknown:
        raise ConfigError(
            f"features.outliers.columns names {', '.join(unknown)}, which the features lack. "
            f"Features: {', '.join(customers.columns)}"
        )
    for column in config.columns:
        low, high = np.quantile(customers.columns[column], [config.low, config.high])
        margin = config.factor * (high - low)
        bounds = Bounds(column, float(low - margin), float(high + margin))
        stays = bounds.keep(customers)
        if not stays.any():
            raise DataError(
                f"the outlier rule sets every customer aside: the last {len(stays)} by "
                f"{column}. Raise features.outliers.factor, move low={config.low} and "
                f"high={config.high} apart, or choose features.outliers.rule=none"
            )
        yield bounds, stays
        customers = customers.take(stays)
