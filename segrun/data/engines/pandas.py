"""pandas: the whole table in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import EngineConfig


@contextmanager
def opened(files: Sequence[Path], config: EngineConfig) -> Iterator[nw.LazyFrame[Any]]:  # noqa: ARG001
    """Read Parquet files column by column: pandas itself cannot without pyarrow."""
    import pandas as pd

    rows = pl.scan_parquet(list(files))
    columns = {
        name: _column(rows.select(name).collect(engine="streaming").to_series())
        for name in rows.collect_schema().names()
    }
    yield nw.from_native(pd.DataFrame(columns, copy=False)).lazy()


def _column(values: pl.Series) -> Any:
    """Return a column in pandas' nullable types: in its others whole numbers turn to floats."""
    import pandas as pd

    if values.dtype == pl.String:
        return pd.array(values.to_numpy(), dtype=pd.StringDtype("python"))
    if values.dtype.is_temporal():
        return values.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")
    missing = values.is_null().to_numpy().copy()
    if values.dtype.is_integer():
        whole = values.cast(pl.Int64).fill_null(0).to_numpy()
        return pd.arrays.IntegerArray(whole.copy(), missing)
    numbers = values.cast(pl.Float64).fill_null(0.0).to_numpy()
    return pd.arrays.FloatingArray(numbers.copy(), missing)


def to_polars(frame: Any) -> pl.DataFrame:
    """Return a small frame of pandas; polars itself cannot without pyarrow."""
    return pl.DataFrame({name: _series(frame[name]) for name in frame.columns})


def _series(column: Any) -> pl.Series:
    kind = column.dtype.kind
    if kind == "M":
        return pl.Series(column.to_numpy().astype("datetime64[us]"))
    if kind in "iufb":
        missing: NDArray[np.bool_] = column.isna().to_numpy()
        values = column.to_numpy(dtype=_NUMPY[kind], na_value=0)
        return pl.select(pl.when(~pl.lit(pl.Series(missing))).then(pl.Series(values))).to_series()
    texts = [None if gone else text for text, gone in zip(column, column.isna(), strict=True)]
    return pl.Series(texts, dtype=pl.String)


_NUMPY = {"i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}
