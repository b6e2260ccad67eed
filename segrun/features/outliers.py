"""The outlier rule: which customers are set aside before clustering."""

from __future__ import annotations

import numpy as np

from segrun.config import OutlierConfig, OutlierRule
from segrun.customers import Customers


def set_aside(customers: Customers, config: OutlierConfig) -> tuple[Customers, dict[str, int]]:
    """Return the customers that stay, and how many each column set aside.

    The reference kit's rule: per column in order, with quantiles of the customers that are left,
    keep ``[low - factor * spread, high + factor * spread]`` where spread is high - low
    (``generate_features`` of oneapi-src/customer-segmentation).
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
    return customers, removed
