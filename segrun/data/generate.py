"""``segrun generate``: the rows of an embedded generator as a file of any size, whole or not."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import DatasetConfig
from segrun.data.datasets.generated import blocks_of, csv_batches
from segrun.data.datasets.registry import DATASETS, dataset_of
from segrun.errors import ConfigError, StoreError
from segrun.formats import in_bytes
from segrun.progress import Progress
from segrun.rundir.atomic import remove_leftovers, write_atomically

SUFFIXES = (".csv", ".parquet")

#: Rows that readers of Parquet take at once.
_GROUP_ROWS = 500_000

#: Users whose rows tell the size of the others'.
_SAMPLE_USERS = 2000


@dataclass(frozen=True)
class WrittenFile:
    """A generated file: its users (customers, visitors), rows and bytes."""

    path: Path
    n_users: int
    n_rows: int
    n_bytes: int


def size_key(config: DatasetConfig) -> str:
    """Return the key of the number of users of a dataset that is generated in blocks of them.

    Raises
    ------
    ConfigError
        Naming the datasets that are, where this one is not.
    """
    dataset = dataset_of(config)
    if dataset.blocks is None or dataset.size is None:
        *others, last = [f"dataset={kind}" for kind, one in DATASETS.items() if one.blocks]
        raise ConfigError(
            f"dataset={config.name} is not generated in blocks. Choose {', '.join(others)} or "
            f"{last}"
        )
    return dataset.size


def generate(
    config: DatasetConfig, seed: int, path: Path, *, about_bytes: int | None = None
) -> WrittenFile:
    """Write the rows of a generator to a file in memory that does not grow with it.

    Users are generated in blocks, each from a seed of its own. The rows of a block are in order
    of time. They are those that a run on the same dataset and seed reads.

    Parameters
    ----------
    config : DatasetConfig
        The dataset; one that has a `size_key`.
    seed : int
        The seed: the same one gives the same bytes.
    path : Path
        File to write, ``.csv`` or ``.parquet``.
    about_bytes : int, optional
        Choose the number of users that make a file of about this size.

    Raises
    ------
    ConfigError
        If the suffix is another one, or the size too small for any user.
    StoreError
        If the disk has no room, or the file cannot be written; nothing half-written stays.
    """
    parquet = path.suffix.lower() == ".parquet"
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: the suffix says how the file is written: {', '.join(SUFFIXES)}. "
            f"Got {path.suffix or 'none'} instead"
        )
    key = size_key(config)
    n_users = getattr(config, key) if about_bytes is None else _SAMPLE_USERS
    each_bytes = _bytes_per_user(_sized(config, min(n_users, _SAMPLE_USERS)), seed, parquet=parquet)
    if about_bytes is not None:
        n_users = round(about_bytes / each_bytes)
        if n_users < 3:
            raise ConfigError(
                f"--bytes {about_bytes} is room for fewer than 3 users, "
                f"whose rows take about {each_bytes:.0f} bytes each"
            )
    remove_leftovers(path.parent, path.name)
    _check_room(path, n_users * each_bytes)
    rows = _Rows(_sized(config, n_users), seed, str(path))
    write_atomically(path, rows.to_parquet if parquet else rows.to_csv)
    return WrittenFile(path, n_users, rows.n_rows, path.stat().st_size)


def _sized(config: DatasetConfig, n_users: int) -> DatasetConfig:
    changed = copy(config)
    setattr(changed, size_key(config), n_users)
    return changed


def _blocks(config: DatasetConfig, seed: int) -> Iterator[pl.DataFrame]:
    blocks: Any = dataset_of(config).blocks
    for rows, _ in blocks(config, seed):
        yield rows


def _bytes_per_user(config: DatasetConfig, seed: int, *, parquet: bool) -> float:
    """Estimate the bytes that a user's rows take in a file, from those of a sample."""
    n = getattr(config, size_key(config))
    rows = next(_blocks(config, seed))
    if not parquet:
        return float(sum(len(batch) for batch in csv_batches(rows, header=False)) / n)
    content = io.BytesIO()
    rows.write_parquet(content)
    return float(len(content.getvalue()) / n)


@dataclass
class _Rows:
    config: DatasetConfig
    seed: int
    label: str
    n_rows: int = 0

    def to_csv(self, path: Path) -> None:
        with path.open("wb") as out:
            for number, rows in enumerate(self._blocks()):
                for batch in csv_batches(rows, header=number == 0):
                    out.write(batch)

    def to_parquet(self, path: Path) -> None:
        from polars.io.plugins import register_io_source

        made = self._blocks()
        first = next(made)

        def source(*_: object) -> Iterator[pl.DataFrame]:
            yield first
            yield from made

        frame = register_io_source(source, schema=first.schema)
        try:
            frame.sink_parquet(path, row_group_size=_GROUP_ROWS, maintain_order=True)
        except pl.exceptions.PolarsError as error:
            raise OSError(str(error)) from error

    def _blocks(self) -> Iterator[pl.DataFrame]:
        n_blocks = len(blocks_of(getattr(self.config, size_key(self.config))))
        with Progress(f"generate {self.label}", n_blocks) as progress:
            for rows in _blocks(self.config, self.seed):
                yield rows
                self.n_rows += len(rows)
                progress.advance()


def _check_room(path: Path, needed_bytes: float) -> None:
    """Refuse a file that the disk has no room for, before hours are spent on it."""
    folder = next(f for f in path.absolute().parents if f.exists())
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        raise StoreError(
            f"{path} takes about {in_bytes(needed_bytes)} and {folder} has "
            f"{in_bytes(free)} free: choose another folder, or fewer users"
        )
