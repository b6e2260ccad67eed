"""The rows of a query on disk, and a digest of them that no order changes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from segrun.data.datasets.quoting import listed
from segrun.data.datasets.textfile import unwritable
from segrun.errors import DataError
from segrun.progress import Flow

_BITS = 128


class RowsDigest:
    """A digest of rows in any order: the sum of the digests of each, modulo 2**128.

    Each row's is BLAKE2b of 16 bytes. Equal rows count as often as they come. It tells whether
    data have changed; against somebody who seeks two tables of one digest it is no protection.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self._total = 0

    def add(self, rows: Iterable[Any]) -> None:
        """Add rows, each as bytes."""
        # Bound once: this loop is half of what a large query costs here.
        blake2b, from_bytes = hashlib.blake2b, int.from_bytes
        total, n_rows = self._total, self.n_rows
        for row in rows:
            total += from_bytes(blake2b(row, digest_size=_BITS // 8).digest(), "little")
            n_rows += 1
        self._total, self.n_rows = total % 2**_BITS, n_rows

    def sha256(self, names: Iterable[str]) -> str:
        """Return the digest of the table that has these columns and the rows added."""
        about = json.dumps([list(names), self.n_rows, f"{self._total:032x}"])
        return hashlib.sha256(about.encode()).hexdigest()


def check_names(names: list[str]) -> None:
    """Refuse what gives no columns, or two of one name."""
    if not names:
        raise DataError("dataset.query gives no columns: write a SELECT, or a table's name")
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise DataError(
            f"dataset.query gives the column {listed(twice)} more than once: name the columns "
            "apart with AS"
        )


class Parts:
    """Parquet files that a query's rows go to, one per batch.

    Parameters
    ----------
    folder : Path
        Where they go.
    flow : Flow
        Shows rows and bytes.
    """

    def __init__(self, folder: Path, flow: Flow) -> None:
        self.files: list[Path] = []
        self._folder, self._flow = folder, flow

    def next(self) -> Path:
        """Return the path of a new part, to be written there."""
        self.files.append(self._folder / f"part-{len(self.files):06d}.parquet")
        return self.files[-1]

    def write(self, batch: pl.DataFrame, n_bytes: int) -> None:
        """Write one batch, which took `n_bytes` in the form that it came."""
        try:
            # The fastest to write: they are read once or twice, then gone.
            batch.write_parquet(self.next(), compression="lz4")
        except OSError as error:
            raise unwritable(self._folder, error) from error
        self.show(batch.height, n_bytes)

    def show(self, n_rows: int, n_bytes: int) -> None:
        """Count rows that have come."""
        self._flow.advance(n_rows, n_bytes)


@dataclass(frozen=True)
class Result:
    """What a query gave.

    Attributes
    ----------
    names : list of str
        Its columns.
    n_rows, n_bytes : int
        Rows, and their size in the form that they came in.
    sha256 : str
        Digest of names and rows, in any order.
    exact : tuple of str
        Columns of decimal numbers, which stand as text in the files: no digit is lost.
    strange : mapping of str to str
        Columns that are neither text nor numbers nor dates, and their types.
    facts : mapping
        How the rows were read, where that changes their values.
    """

    names: list[str]
    n_rows: int
    n_bytes: int
    sha256: str
    exact: tuple[str, ...] = ()
    strange: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
