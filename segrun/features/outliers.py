"""The outlier rule: which customers are set aside before clustering."""

from __future__ import annotations

import numpy as np

from segrun.config import OutlierConfig, OutlierRule
from segrun.customers import Customers
from segrun.errors import DataError


def set_aside(customers: Customers, config: OutlierConfig) -> tuple[Customers, dict[str, int]]:
    """Return the customers that stay, and how many each column set aside.

    The reference kit's rule: per column in order, with quantiles of the customers that are left,
    keep ``[low - factor * spread, high + factor * spread]`` where spread is high - low
    (``generate_features`` of oneapi-src/customer-segmentation).

    Raises
    ------
    DataError
        If the rule leaves nobody, as close quantiles of few customers can.
    """
    removed: dict[str, int] = {}
    if config.rule is OutlierRule.none:
        return customers, removed
    for column in config.columns:
        values = customers.columns[column]
        low, high = np.quantile(values, [config.low, config.high])
        margin = config.factor * (high - low)
        stays = (values >= low - margin) & (values <= high + margin)
        removed[column] = int((~stays).sum())
        customers = customers.take(stays)
        if not len(customers):
            raise DataError(
                f"the outlier rule sets every customer aside: the last {removed[column]} by "
                f"{column}. Raise features.outliers.factor, move low={config.low} and "
                f"high={config.high} apart, or choose features.outliers.rule=none"
            )
    return customers, removed
