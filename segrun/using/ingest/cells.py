"""Answers as cells of the database, and back."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import narwhals as nw
import numpy as np

from segrun.features.partial import Merge

#: Stands for a missing value among different ones: no text, number or date is of this type.
MISSING = b""

#: What numpy takes for no moment.
_NO_MOMENT = np.iinfo(np.int64).min


class Kind(Enum):
    """What a cell holds: whole numbers, float64, texts, or microseconds since 1970."""

    whole = "whole"
    number = "number"
    text = "text"
    moment = "moment"


def kind_of(series: nw.Series[Any], merge: Merge) -> Kind:
    """Return what the cells of an answer hold."""
    if series.dtype == nw.String:
        return Kind.text
    if isinstance(series.dtype, nw.Datetime):
        return Kind.moment
    # The least of whole numbers is one of a column that may have fractions in another batch.
    counted = merge in (Merge.add, Merge.distinct) and series.dtype.is_integer()
    return Kind.whole if counted else Kind.number


def stored(series: nw.Series[Any], kind: Kind) -> list[Any]:
    """Return values as the database takes them, None where missing."""
    if kind is Kind.moment:
        found = series.to_numpy().astype("datetime64[us]").astype(np.int64)
        return [None if moment == _NO_MOMENT else moment for moment in found.tolist()]
    if kind is Kind.number:
        return series.cast(nw.Float64).to_list()
    return series.to_list()


def different_cells(values: nw.Series[Any]) -> list[Any]:
    """Return values of which it only counts whether they are different."""
    kind = kind_of(values, Merge.least)
    return [MISSING if value is None else value for value in stored(values, kind)]


def restored(name: str, cells: Sequence[Any], kind: Kind) -> nw.Series[Any]:
    """Return the values of a column of cells."""
    values: Any = cells
    if kind is Kind.moment:
        moments = [_NO_MOMENT if cell is None else cell for cell in cells]
        values = np.array(moments, dtype=np.int64).astype("datetime64[us]")
    dtype = {
        Kind.whole: nw.Int64(), Kind.number: nw.Float64(), Kind.text: nw.String(),
        Kind.moment: nw.Datetime("us"),
    }[kind]  # fmt: skip
    return nw.new_series(name, values, dtype, backend="polars")
