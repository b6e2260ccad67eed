"""What the embedded generators have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import ColumnKind
from segrun.data.datasets.rows import Rows

#: Users whose rows are drawn together: about 2 million rows, some 300 MB while they are made.
BLOCK_USERS = 20_000

_BATCH_ROWS = 200_000


@dataclass(frozen=True)
class Block:
    """Users whose rows are drawn together, from a seed of the block's own.

    `first` is the number of its first user, `n` how many it has. The first block is the same
    however many follow.
    """

    number: int
    first: int
    n: int


def blocks_of(n_users: int) -> list[Block]:
    """Return the blocks that so many users are generated in."""
    firsts = range(0, n_users, BLOCK_USERS)
    return [Block(i, first, min(BLOCK_USERS, n_users - first)) for i, first in enumerate(firsts)]


def csv_batches(frame: pl.DataFrame, *, header: bool = True) -> Iterator[bytes]:
    """Yield the rows as CSV: what ``write_csv`` makes of them, not all in memory at once."""
    for start in range(0, max(1, len(frame)), _BATCH_ROWS):
        batch = frame.slice(start, _BATCH_ROWS)
        yield batch.write_csv(include_header=header and start == 0).encode()


def digest_of(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of generated rows, that of the CSV file they make."""
    digest = hashlib.sha256()
    for batch in csv_batches(frame):
        digest.update(batch)
    return digest.hexdigest()


def in_shares(shares: Sequence[float], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the kind of each of n, shuffled, in exact shares: every kind is there among few."""
    places = (np.arange(n) + 0.5) / n
    kinds: NDArray[np.int64] = np.searchsorted(np.cumsum(shares)[:-1], places).astype(np.int64)
    return rng.permutation(kinds)


def as_records(
    frame: pl.DataFrame,
    id_column: str,
    kinds: Mapping[str, ColumnKind],
    source: str,
    about: Mapping[str, Any],
) -> Rows:
    """Return generated rows with the fingerprint of their content."""
    fingerprint = {"source": source, **about, "n_lines": len(frame), "sha256": digest_of(frame)}
    return Rows(nw.from_native(frame.lazy()), id_column, id_column, kinds, fingerprint)
