"""Replicate the customer table with jitter, to study larger sizes.

The distributions are those of Intel's archived reference kit
(oneapi-src/customer-segmentation, ``generate_features``): ``Amount`` gets exp(N(0, 1))
added, every other column a random integer of 0..4. Two things differ on purpose: the
jitter is drawn from the one seed, and the table is repeated as a whole, so that any
number of rows is the first part of a longer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segrun.config import AugmentationConfig
from segrun.errors import ConfigError
from segrun.rundir.customers import Customers
from segrun.seeds import generator


def check(config: AugmentationConfig, feature_names: Sequence[str] | None) -> None:
    """Refuse settings that contradict each other or the features, before any data is read."""
    if config.factor is not None and config.rows is not None:
        raise ConfigError(
            f"augmentation.factor={config.factor} and augmentation.rows={config.rows} exclude "
            "each other: set one of them to null"
        )
    replicates = config.factor is not None or config.rows is not None
    if replicates and feature_names is not None:
        _check_columns(config, feature_names)


def _check_columns(config: AugmentationConfig, feature_names: Sequence[str]) -> None:
    unknown = [c for c in config.lognormal_columns if c not in feature_names]
    if unknown:
        raise ConfigError(
            f"augmentation.lognormal_columns names {unknown}, which the features lack. "
            f"Features: {', '.join(feature_names)}"
        )


def augment(customers: Customers, config: AugmentationConfig, seed: int) -> Customers:
    """Return the table repeated to the size asked for, every row jittered."""
    n_rows = config.rows or (config.factor or 0) * len(customers)
    if n_rows == 0:
        return customers
    _check_columns(config, customers.feature_names)
    replica, source = np.divmod(np.arange(n_rows, dtype=np.int64), len(customers))
    rng = generator(seed, "augment")
    columns = {}
    # One column at a time: the table repeated as a whole would be there twice.
    for name, values in customers.columns.items():
        if name in config.lognormal_columns:
            columns[name] = values[source] + np.exp(rng.normal(size=n_rows))
        else:
            columns[name] = values[source] + rng.integers(0, config.max_step + 1, size=n_rows)
    return replace(customers, ids=customers.ids[source], columns=columns, replica=replica)


def label(config: AugmentationConfig) -> str:
    """Return the augmentation in a word: none, x10, rows_40000."""
    if config.rows is not None:
        return f"rows_{config.rows}"
    return f"x{config.factor}" if config.factor is not None else "none"
