"""What a dataset delivers, as far as its configuration tells before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum

from segrun.config import (
    ColumnKind,
    DatasetConfig,
    FileConfig,
    RatingsFileConfig,
    RecordsConfig,
    SyntheticRatingsConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
    TransactionsConfig,
)
from segrun.data.datasets import synthetic_ratings, synthetic_sales, synthetic_weblogs
from segrun.data.datasets.columns import CANONICAL
from segrun.data.datasets.rows import TRANSACTION_KINDS


class Form(Enum):
    """What the rows of a dataset are."""

    transactions = "transactions"
    records = "records"
    table = "table"


def form_of(config: DatasetConfig) -> Form | None:
    """Return the form of a dataset, None where it is none of these."""
    if isinstance(config, RecordsConfig):
        return Form.table if config.one_per_id else Form.records
    if isinstance(config, RatingsFileConfig):
        return Form.records
    if isinstance(config, SyntheticRetailConfig | FileConfig):
        return Form.transactions
    if isinstance(config, SyntheticSalesConfig | SyntheticWeblogsConfig | SyntheticRatingsConfig):
        return Form.records
    return None


def kinds_of(config: DatasetConfig) -> Mapping[str, ColumnKind]:
    """Return the columns of a dataset besides the id; empty where it has none of this sort."""
    if isinstance(config, RecordsConfig):
        return config.columns
    if isinstance(config, RatingsFileConfig | SyntheticRatingsConfig):
        # The file decides which of them it has.
        return synthetic_ratings.KINDS
    if isinstance(config, TransactionsConfig):
        given = {CANONICAL[role] for role, name in asdict(config.columns).items() if name}
        always = {"Quantity", "UnitPrice", "InvoiceDate"}
        return {c: kind for c, kind in TRANSACTION_KINDS.items() if c in given | always}
    if isinstance(config, SyntheticRetailConfig | FileConfig):
        return TRANSACTION_KINDS
    if isinstance(config, SyntheticSalesConfig):
        return synthetic_sales.KINDS
    return synthetic_weblogs.KINDS if isinstance(config, SyntheticWeblogsConfig) else {}


def id_of(config: DatasetConfig) -> str | None:
    """Return the column of the id as results will call it, None where the file decides."""
    if isinstance(config, RecordsConfig):
        return config.id
    if isinstance(config, SyntheticSalesConfig):
        return synthetic_sales.ID
    if isinstance(config, SyntheticRatingsConfig):
        return synthetic_ratings.ID
    return synthetic_weblogs.ID if isinstance(config, SyntheticWeblogsConfig) else None
