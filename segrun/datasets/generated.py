"""What the embedded generators have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import ColumnKind
from segrun.datasets.rows import Rows


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
    digest = hashlib.sha256(frame.write_csv().encode()).hexdigest()
    fingerprint = {"source": source, **about, "n_lines": len(frame), "sha256": digest}
    return Rows(nw.from_native(frame.lazy()), id_column, id_column, kinds, fingerprint)
