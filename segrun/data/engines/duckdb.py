"""DuckDB: in this process, within a memory limit, spilling to disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import DuckdbConfig
from segrun.data.cache import cache_directory


@contextmanager
def opened(files: Sequence[Path], config: DuckdbConfig) -> Iterator[nw.LazyFrame[Any]]:
    """Open Parquet files as a relation."""
    import duckdb

    connection = duckdb.connect()
    # So called, it is removed by the next reader if this one is killed.
    spilled = TemporaryDirectory(dir=cache_directory(), prefix=f"reading-{os.getpid()}-")
    try:
        # Aggregates do not depend on it, and it costs memory.
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET temp_directory = ?", [spilled.name])
        if config.memory_gib is not None:
            connection.execute("SET memory_limit = ?", [f"{config.memory_gib}GiB"])
        relation = connection.read_parquet([str(file) for file in files])
        yield nw.from_native(relation)
    finally:
        connection.close()
        spilled.cleanup()


class _Stream:
    """What polars reads; of a relation itself it remembers the type, which DuckDB calls a leak."""

    def __init__(self, relation: Any) -> None:
        self.relation = relation

    def __arrow_c_stream__(self, schema: object = None) -> object:
        return self.relation.__arrow_c_stream__(schema)


def to_polars(relation: Any) -> pl.DataFrame:
    """Compute a relation and return the result."""
    found = pl.DataFrame(_Stream(relation))
    # Sums of BIGINT are HUGEINT, which comes as a decimal. What is beyond int64 is null: sums of
    # absolute values beside it say so.
    whole = [name for name, kind in found.schema.items() if isinstance(kind, pl.Decimal)]
    return found.with_columns(pl.col(whole).cast(pl.Int64, strict=False))
