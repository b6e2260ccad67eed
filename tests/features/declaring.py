"""Rows and declared columns in few words."""

import narwhals as nw
import polars as pl

from segrun.config import (
    AggregateColumn,
    AggregateConfig,
    ColumnKind,
    EncodedColumn,
    Function,
    OutlierConfig,
    OutlierRule,
    TableConfig,
)
from segrun.data.datasets import Rows

NO_RULE = OutlierConfig(OutlierRule.none, 0.05, 0.95, 1.5, [])
KIND_OF = {pl.String: ColumnKind.text, pl.Float64: ColumnKind.number, pl.Int64: ColumnKind.number}


def rows_of(frame, key="id"):
    """A polars frame as rows about the entities of one of its columns."""
    kinds = {
        name: KIND_OF.get(kind.base_type(), ColumnKind.date)
        for name, kind in frame.schema.items()
        if name != key
    }
    return Rows(nw.from_native(frame.lazy()), key, key, kinds, {})


def column(function, of=None, **settings):
    return AggregateColumn(function=Function(function), of=of, **settings)


def aggregate(columns, **settings):
    values = {"where": None, "date": None, "reference_date": None, "outliers": NO_RULE} | settings
    return AggregateConfig(name="aggregate", columns=columns, **values)


def table(columns=None, **settings):
    values = {"only_named": False, "reference_date": None, "outliers": NO_RULE} | settings
    columns = {name: EncodedColumn(**given) for name, given in (columns or {}).items()}
    return TableConfig(name="table", columns=columns, **values)
