"""Features that are kept in the cache directory: a folder of tables and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.errors import StoreError
from segrun.features.built import Built
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import SparseColumns

_ALL, _CLUSTERED, _ABOUT = "all.parquet", "clustered.parquet", "about.parquet"
#: The place of the ids; further columns are by their names.
_ID = "id of segrun"


def put(folder: Path, built: Built) -> dict[str, Any] | None:
    """Write features to a folder and return what `get` must know, None where they are not kept."""
    facts = json.loads(json.dumps(built.facts, default=str))
    if isinstance(built.all_customers.columns, SparseColumns) or facts != built.facts:
        return None
    _write(folder / _ALL, built.all_customers)
    if len(built.customers) < len(built.all_customers):
        _write(folder / _CLUSTERED, built.customers)
    if built.about is not None:
        _write(folder / _ABOUT, built.about)
    return {"id_column": built.all_customers.id_column, "facts": facts}


def get(folder: Path, told: Mapping[str, Any]) -> Built:
    """Return the features that `put` wrote."""
    name = told["id_column"]
    everyone = _read(folder / _ALL, name)
    clustered, about = folder / _CLUSTERED, folder / _ABOUT
    kept = _read(clustered, name) if clustered.exists() else everyone
    rest = _read(about, name) if about.exists() else None
    return Built(everyone, kept, told["facts"], rest)


def _write(path: Path, customers: Customers) -> None:
    columns = {_ID: pl.Series(customers.ids, dtype=pl.String)}
    for name, values in customers.columns.items():
        # As a list: of an array polars guesses the type by the first value, which may be missing.
        text = values.dtype == object
        columns[name] = pl.Series(values.tolist(), dtype=pl.String) if text else pl.Series(values)
    try:
        # By way of Python: on a full disk polars raises no OSError.
        with path.open("wb") as file:
            pl.DataFrame(columns).write_parquet(file, compression="lz4")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"cannot write {path}: {error}") from error


def _read(path: Path, id_column: str) -> Customers:
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    columns: dict[str, NDArray[Any]] = {
        # Of what polars gives, nothing may be written to.
        name: np.array(frame[name].to_numpy())
        for name in frame.columns
    }
    return Customers(id_column, columns.pop(_ID).astype(object), columns)
