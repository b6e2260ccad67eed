"""Types of columns in a database."""

from __future__ import annotations

from typing import Any

import polars as pl
import sqlalchemy as sa

_KINDS: list[tuple[Any, Any]] = [
    (pl.Boolean, sa.Boolean()),
    (pl.Date, sa.Date()),
    (pl.Time, sa.Time()),
    (pl.String, sa.Text()),
]


def storable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose every column is of a type that databases have."""
    others = [
        name
        for name, kind in frame.schema.items()
        if not (kind.is_numeric() or isinstance(kind, pl.Datetime) or kind in dict(_KINDS))
    ]
    # What is of no type, as it has no value, is text.
    return frame.with_columns(pl.col(others).cast(pl.String))


def kinds(frame: pl.DataFrame) -> dict[str, Any]:
    """Return the type of each column of a `storable` frame."""
    return {name: _kind(kind) for name, kind in frame.schema.items()}


def _kind(kind: pl.DataType) -> Any:
    if isinstance(kind, pl.Datetime):
        return sa.DateTime(timezone=kind.time_zone is not None)
    if isinstance(kind, pl.Decimal):
        return sa.Numeric(kind.precision, kind.scale)
    if kind.is_integer():
        return sa.BigInteger()
    if kind.is_float():
        return sa.Double()
    return dict(_KINDS)[kind]
