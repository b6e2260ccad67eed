"""The columns of a table with one row per entity, as they are given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import ColumnKind, EncodedColumn, TableConfig
from segrun.data.datasets.rows import Rows
from segrun.data.engines import collected
from segrun.errors import ConfigError, DataError
from segrun.features import encode
from segrun.features.built import Built, settle
from segrun.features.lines import days_before, reference_date
from segrun.nearest import did_you_mean


def chosen(config: TableConfig, kinds: Mapping[str, ColumnKind]) -> dict[str, EncodedColumn]:
    """Return the columns that are used with their settings, in order."""
    if config.only_named:
        return dict(config.columns)
    return {name: config.columns.get(name, EncodedColumn()) for name in kinds}


def check(config: TableConfig, kinds: Mapping[str, ColumnKind]) -> None:
    """Refuse settings that no table with these columns can satisfy."""
    if not kinds:
        raise ConfigError(
            "dataset.columns declares no column of the table. Say what the columns hold: "
            "'+dataset.columns={NAME: text, OTHER: number, THIRD: date}'"
        )
    for name in config.columns:
        if name not in kinds:
            raise ConfigError(
                f"features.columns.{name}: the table has no such column."
                f"{did_you_mean(name, kinds)} Columns: {', '.join(kinds)}"
            )
    used = chosen(config, kinds)
    if not any(column.cluster for column in used.values()):
        raise ConfigError("features.columns leaves no column to cluster on")
    for name, column in used.items():
        encode.check(column, f"features.columns.{name}", text=kinds[name] is ColumnKind.text)
    if config.reference_date is not None:
        reference_date(config.reference_date)


def names(config: TableConfig, kinds: Mapping[str, ColumnKind]) -> list[str] | None:
    """Return the names of the features in order; None where only the data will tell."""
    found: list[str] = []
    for name, column in chosen(config, kinds).items():
        text = kinds.get(name) is ColumnKind.text
        own = encode.encoded_names(column, name, text=text)
        if own is None:
            return None
        found += own
    return found


def texts(config: TableConfig, kinds: Mapping[str, ColumnKind]) -> list[str]:
    """Return the columns that stay texts."""
    used = chosen(config, kinds)
    found = [name for name in used if kinds[name] is ColumnKind.text]
    return [name for name in found if not encode.is_ordinal(used[name])]


def build(rows: Rows, config: TableConfig, fitted: Mapping[str, Any] | None = None) -> Built:
    """Return the columns of a table as features."""
    used = chosen(config, rows.kinds)
    select = {f"c{i}": nw.col(name) for i, name in enumerate(used)}
    lazy = rows.in_polars.select(id=nw.col(rows.key), **select)
    frame = collected(lazy).sort("id")
    if len(frame) == 0:
        raise DataError("the table has no row")
    n_nameless = int(frame["id"].is_null().sum())
    if n_nameless:
        raise DataError(
            f"{n_nameless} of {len(frame)} rows have no {rows.id_column}: give every row its id"
        )
    known = dict((fitted or {}).get("reference", {}))
    raw = []
    for i, (name, column) in enumerate(used.items()):
        values = _values(frame[f"c{i}"], rows.kinds[name], name, config, known)
        raw.append(encode.Raw(name, values, column, f"features.columns.{name}"))
    ids = np.array(frame["id"].to_list(), dtype=object)
    encoded = encode.encode(rows.id_column, ids, raw, fitted)
    learned = encoded.fitted | ({"reference": known} if known else {})
    facts = {"n_lines": len(frame), "dropped": {}, "fitted": learned}
    return settle(encoded.customers, config, facts, encoded.about)


def _values(
    column: nw.Series[Any], kind: ColumnKind, name: str, config: TableConfig, known: dict[str, str]
) -> NDArray[Any]:
    """Return texts as objects, numbers as they are, dates as days before the reference."""
    if kind is ColumnKind.text:
        return np.array(column.to_list(), dtype=object)
    if kind is ColumnKind.number:
        if column.is_null().any():
            return column.cast(nw.Float64).fill_null(np.nan).to_numpy()
        return column.to_numpy()
    if config.reference_date is not None:
        known[name] = reference_date(config.reference_date).isoformat()
    elif name not in known:
        known[name] = _latest(column, name)
    return days_before(column, datetime.fromisoformat(known[name]))


def _latest(column: nw.Series[Any], name: str) -> str:
    latest = column.max()
    if latest is None:
        raise DataError(f"column {name} has no date in any row: leave it out")
    return str(latest.isoformat())
