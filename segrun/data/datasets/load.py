"""Open the dataset that the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segrun.config import (
    CacheConfig,
    DatasetConfig,
    FileConfig,
    SyntheticRatingsConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
)
from segrun.data.cache import cache_directory
from segrun.data.datasets import (
    files,
    synthetic_ratings,
    synthetic_retail,
    synthetic_sales,
    synthetic_weblogs,
)
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError


def check(config: DatasetConfig) -> None:
    """Refuse settings that no data can satisfy, before any is read.

    Raises
    ------
    ConfigError
        Naming the key, its value and what is allowed.
    """
    made = (
        SyntheticRetailConfig, SyntheticSalesConfig, SyntheticWeblogsConfig,
        SyntheticRatingsConfig,
    )  # fmt: skip
    if isinstance(config, FileConfig):
        files.check(config)
    elif not isinstance(config, made):
        raise ConfigError(
            f"dataset.name={config.name!r} has the keys of no dataset: begin its YAML with "
            "'defaults: [online_retail]' or choose dataset=synthetic_retail"
        )


@contextmanager
def load(
    config: DatasetConfig,
    seed: int,
    cache: Path | None = None,
    settings: CacheConfig | None = None,
) -> Iterator[Rows]:
    """Open what a dataset delivers; temporary files last as long as the context.

    Parameters
    ----------
    config : DatasetConfig
        One of the datasets' configurations.
    seed : int
        The experiment's seed, for generated data.
    cache : Path, optional
        Folder for temporary files and tables that are kept. Default: segrun's cache directory.
    settings : CacheConfig, optional
        What is large, and whether it is kept. Default: as the experiment's.

    Raises
    ------
    DataError
        If the data cannot be read.
    """
    if isinstance(config, SyntheticRetailConfig):
        yield synthetic_retail.transactions(config, seed)
    elif isinstance(config, SyntheticSalesConfig):
        yield synthetic_sales.rows(config, seed)
    elif isinstance(config, SyntheticWeblogsConfig):
        yield synthetic_weblogs.rows(config, seed)
    elif isinstance(config, SyntheticRatingsConfig):
        yield synthetic_ratings.rows(config, seed)
    else:
        assert isinstance(config, FileConfig)
        with files.open_file(
            config, cache or cache_directory(), settings or CacheConfig()
        ) as found:
            yield found
