"""What segrun does with each kind of dataset: opens it, checks it, says what it delivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from segrun.config import CacheConfig, ColumnKind, DatasetConfig, TransactionsConfig, check_kind
from segrun.data.cache import cache_directory
from segrun.data.datasets import (
    columns,
    files,
    ratings,
    synthetic_ratings,
    synthetic_retail,
    synthetic_sales,
    synthetic_weblogs,
)
from segrun.data.datasets.columns import CANONICAL
from segrun.data.datasets.rows import TRANSACTION_KINDS, Rows
from segrun.data.datasets.source import Source


class Form(Enum):
    """What the rows of a dataset are."""

    transactions = "transactions"
    records = "records"
    table = "table"


@dataclass(frozen=True)
class Dataset:
    """One kind of dataset; every function takes its configuration, of the kind's schema.

    Attributes
    ----------
    check : callable
        Refuses settings that no data can satisfy, before any is read.
    open : callable
        Takes the seed, the folder for temporary and kept files (None: segrun's cache directory),
        and what is large and kept, too; a context manager that gives the rows.
    form : callable
        What the rows are.
    columns : callable
        What the columns hold besides the id, as far as this is known before anything is read.
    id_column : callable
        What results will call the id; None where the file decides.
    blocks : callable or None
        Takes the seed, too: yields the rows block by block of users, where they are generated so.
    size : str or None
        Key of the number of customers, where it is configured.
    """

    check: Callable[[Any], None]
    open: Callable[[Any, int, Path | None, CacheConfig], AbstractContextManager[Rows]]
    form: Callable[[Any], Form]
    columns: Callable[[Any], Mapping[str, ColumnKind]]
    id_column: Callable[[Any], str | None]
    blocks: Callable[[Any, int], Iterator[tuple[pl.DataFrame, pl.DataFrame]]] | None = None
    size: str | None = None


def dataset_of(config: DatasetConfig) -> Dataset:
    """Return what is done with a dataset.

    Raises
    ------
    ConfigError
        If it states no kind, or one that has other keys.
    """
    check_kind("dataset", config.kind, config)
    return DATASETS[config.kind]


def check(config: DatasetConfig) -> None:
    """Refuse settings that no data can satisfy, before any is read.

    Raises
    ------
    ConfigError
        Naming the key, its value and what is allowed.
    """
    dataset_of(config).check(config)


@contextmanager
def load(
    config: DatasetConfig,
    seed: int,
    cache: Path | None = None,
    settings: CacheConfig | None = None,
) -> Iterator[Rows]:
    """Open what a dataset delivers; temporary files last as long as the context.

    Raises
    ------
    DataError
        If the data cannot be read.
    """
    with dataset_of(config).open(config, seed, cache, settings or CacheConfig()) as rows:
        yield rows


def _file(
    check: Callable[[Any], None],
    form: Callable[[Any], Form],
    columns: Callable[[Any], Mapping[str, ColumnKind]],
    id_column: Callable[[Any], str | None] = lambda _: None,
    reader: Callable[[Any, Source, Path], Rows] | None = None,
) -> Dataset:
    """Return a kind of files, read by the usual reader or one of its own."""

    def opened(
        config: Any, _: int, folder: Path | None, settings: CacheConfig
    ) -> AbstractContextManager[Rows]:
        return files.open_file(config, folder or cache_directory(), settings, reader)

    return Dataset(check, opened, form, columns, id_column)


def _checks(check: Callable[[Any], None], separators: Sequence[str] = ()) -> Callable[[Any], None]:
    """Return the checks of a kind of files: those of all files and its own."""

    def checks(config: Any) -> None:
        files.check(config, separators)
        check(config)

    return checks


def _generated(source: ModuleType, size: str, form: Form = Form.records) -> Dataset:
    """Return a kind whose rows a module of this package generates."""
    return Dataset(
        lambda _: None,
        lambda config, seed, *_: nullcontext(source.rows(config, seed)),
        lambda _: form,
        lambda _: source.KINDS,
        lambda _: source.ID,
        getattr(source, "blocks", None),
        size,
    )


def _named(config: TransactionsConfig) -> Mapping[str, ColumnKind]:
    given = {CANONICAL[role] for role, name in asdict(config.columns).items() if name}
    always = {"Quantity", "UnitPrice", "InvoiceDate"}
    return {c: kind for c, kind in TRANSACTION_KINDS.items() if c in given | always}


#: By kind; `segrun.config.registry` has the keys of each.
DATASETS: dict[str, Dataset] = {
    "online_retail": _file(files.check, lambda _: Form.transactions, lambda _: TRANSACTION_KINDS),
    "transactions": _file(
        _checks(lambda config: columns.check(config.columns)), lambda _: Form.transactions, _named
    ),
    "records": _file(
        _checks(columns.check_records),
        lambda config: Form.table if config.one_per_id else Form.records,
        lambda config: config.columns,
        lambda config: config.id,
    ),
    # The file decides which of the columns it has.
    "ratings": _file(
        _checks(ratings.check, ("::",)),
        lambda _: Form.records,
        lambda _: synthetic_ratings.KINDS,
        reader=ratings.read,
    ),
    "synthetic_retail": _generated(synthetic_retail, "n_customers", Form.transactions),
    "synthetic_sales": _generated(synthetic_sales, "n_users"),
    "synthetic_weblogs": _generated(synthetic_weblogs, "n_visitors"),
    "synthetic_ratings": _generated(synthetic_ratings, "n_users"),
}
