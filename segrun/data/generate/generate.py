"""Write a dataset that is generated, block by block, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from segrun.data.datasets.generated import blocks_of, csv_batches
from segrun.data.generate.users import (
    SAMPLE_USERS,
    InBlocks,
    blocks,
    bytes_per_user,
    n_users,
    with_users,
)
from segrun.errors import ConfigError, StoreError
from segrun.formats import in_bytes
from segrun.progress import Progress
from segrun.rundir.atomic import remove_leftovers, write_atomically

SUFFIXES = (".csv", ".parquet")

#: Rows that readers of Parquet take at once.
_GROUP_ROWS = 500_000


@dataclass(frozen=True)
class Generated:
    """What was written.

    Attributes
    ----------
    path : Path
        The file.
    n_users, n_rows, n_bytes : int
        Users (customers, visitors) and rows in it, and its size.
    """

    path: Path
    n_users: int
    n_rows: int
    n_bytes: int


def generate(
    config: InBlocks, seed: int, path: Path, *, about_bytes: int | None = None
) -> Generated:
    """Write the rows of a generator to a file in memory that does not grow with it.

    Users are generated in blocks, each from a seed of its own. The rows of a block are in order
    of time. They are those that a run on the same dataset and seed reads.

    Parameters
    ----------
    config : InBlocks
        The dataset.
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
    if about_bytes is not None:
        config = with_users(config, SAMPLE_USERS)
    each_bytes = bytes_per_user(config, seed, parquet=parquet)
    if about_bytes is not None:
        config = _sized(config, about_bytes, each_bytes)
    remove_leftovers(path.parent, path.name)
    _check_room(path, n_users(config) * each_bytes)
    rows = _Rows(config, seed, str(path))
    write_atomically(path, rows.to_parquet if parquet else rows.to_csv)
    return Generated(path, n_users(config), rows.n_rows, path.stat().st_size)


def _sized(config: InBlocks, about_bytes: int, each_bytes: float) -> InBlocks:
    n = round(about_bytes / each_bytes)
    if n < 3:
        raise ConfigError(
            f"--bytes {about_bytes} is room for fewer than 3 users, "
            f"whose rows take about {each_bytes:.0f} bytes each"
        )
    return with_users(config, n)


@dataclass
class _Rows:
    config: InBlocks
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
        with Progress(f"generate {self.label}", len(blocks_of(n_users(self.config)))) as progress:
            for rows in blocks(self.config, self.seed):
                yield rows
                self.n_rows += len(rows)
                progress.advance()


def _check_room(path: Path, needed_bytes: float) -> None:
    """Refuse a file that the disk has no room for, before hours are spent on it.

    Raises
    ------
    StoreError
        With the bytes needed and free.
    """
    folder = next(f for f in path.absolute().parents if f.exists())
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        raise StoreError(
            f"{path} takes about {in_bytes(needed_bytes)} and {folder} has "
            f"{in_bytes(free)} free: choose another folder, or fewer users"
        )
