"""Generators that work in blocks of users, and how many users make a file of some size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from copy import copy
from typing import TypeAlias

import polars as pl

from segrun.config import (
    DatasetConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
)
from segrun.data.datasets import synthetic_retail, synthetic_sales, synthetic_weblogs
from segrun.data.datasets.generated import csv_batches
from segrun.errors import ConfigError

#: Datasets whose generators work in blocks, whatever the number of users.
InBlocks: TypeAlias = SyntheticRetailConfig | SyntheticSalesConfig | SyntheticWeblogsConfig

#: Users whose rows tell the size of the others'.
SAMPLE_USERS = 2000


def in_blocks(config: DatasetConfig) -> InBlocks:
    """Return the dataset if it can be generated in blocks.

    Raises
    ------
    ConfigError
        Naming those that can.
    """
    if isinstance(config, SyntheticRetailConfig | SyntheticSalesConfig | SyntheticWeblogsConfig):
        return config
    raise ConfigError(
        f"dataset={config.name} is not generated in blocks. Choose "
        "dataset=synthetic_retail, dataset=synthetic_sales or dataset=synthetic_weblogs"
    )


def blocks(config: InBlocks, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the dataset's rows, a block of users after the other."""
    if isinstance(config, SyntheticRetailConfig):
        made = synthetic_retail.blocks(config, seed)
    elif isinstance(config, SyntheticSalesConfig):
        made = synthetic_sales.blocks(config, seed)
    else:
        made = synthetic_weblogs.blocks(config, seed)
    for rows, _ in made:
        yield rows


def n_users(config: InBlocks) -> int:
    """Return how many users the dataset has, customers or visitors."""
    return int(getattr(config, size_key(config)))


def with_users(config: InBlocks, n: int) -> InBlocks:
    """Return the dataset with another number of users."""
    changed = copy(config)
    setattr(changed, size_key(config), n)
    return changed


def size_key(config: InBlocks) -> str:
    """Return the key of the number of users."""
    if isinstance(config, SyntheticRetailConfig):
        return "n_customers"
    return "n_users" if isinstance(config, SyntheticSalesConfig) else "n_visitors"


def bytes_per_user(config: InBlocks, seed: int, *, parquet: bool) -> float:
    """Estimate the bytes that a user's rows take in a file, from those of a sample.

    Parameters
    ----------
    config : InBlocks
        The dataset.
    seed : int
        Its seed.
    parquet : bool
        As Parquet; otherwise as CSV.
    """
    n = min(n_users(config), SAMPLE_USERS)
    rows = next(blocks(with_users(config, n), seed))
    if not parquet:
        return sum(len(batch) for batch in csv_batches(rows, header=False)) / n
    content = io.BytesIO()
    rows.write_parquet(content)
    return len(content.getvalue()) / n
