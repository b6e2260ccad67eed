"""The columns that a configuration declares, each as what is asked of the rows of an entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import narwhals as nw

from segrun.config import AggregateColumn, AggregateConfig, ColumnKind, Function
from segrun.errors import ConfigError
from segrun.features.condition import condition
from segrun.nearest import did_you_mean
from segrun.rundir.customers import TAKEN

#: What a function measures; the others take any column.
_NEEDS = {
    Function.sum: ColumnKind.number,
    Function.mean: ColumnKind.number,
    Function.share: ColumnKind.number,
    Function.min: ColumnKind.number,
    Function.max: ColumnKind.number,
    Function.days_since: ColumnKind.date,
    Function.days_since_first: ColumnKind.date,
}
_NEEDS_OF = (Function.distinct, Function.sum, Function.mean, Function.min, Function.max,
             Function.first, Function.last)  # fmt: skip
_DATED = (Function.first, Function.last)
_PRODUCTS = (Function.sum, Function.mean, Function.share)


@dataclass(frozen=True)
class Declared:
    """One column of the result.

    `name` includes the value of `per`, `key` is what it is declared by. `of` is the column that
    is measured, or the two factors of a product; empty: rows are counted. `rows` is true for the
    rows that count (None: all do), `base` for those that a share is of; `text` tells whether the
    result is text.
    """

    name: str
    key: str
    config: AggregateColumn
    of: Sequence[str]
    rows: nw.Expr | None
    base: nw.Expr | None
    text: bool


def declared(
    config: AggregateConfig,
    kinds: Mapping[str, ColumnKind],
    values: Mapping[str, Sequence[str]],
) -> list[Declared]:
    """Return the columns in order."""
    if not config.columns:
        raise ConfigError(
            "features.columns declares no column. One is, for example: "
            "'+features.columns={Rows: {function: count}}'"
        )
    found: list[Declared] = []
    for key, column in config.columns.items():
        where = f"features.columns.{key}"
        of = _of(column, kinds, where)
        _check_function(config, column, of, kinds, where)
        text = column.function in _DATED and kinds[of[0]] is ColumnKind.text
        limit = None if column.where is None else condition(column.where, kinds, f"{where}.where")
        if column.per is None:
            found.append(Declared(key, key, column, of, limit, None, text))
            continue
        for value in column.values or values.get(key, []):
            one = nw.col(column.per) == value
            rows = one if limit is None else one & limit
            found.append(Declared(f"{key}_{value}", key, column, of, rows, limit, text))
    _check_names([column.name for column in found])
    return found


def date_column(config: AggregateConfig, kinds: Mapping[str, ColumnKind]) -> str | None:
    """Return the column that orders rows, None where rows have no date."""
    dates = [name for name, kind in kinds.items() if kind is ColumnKind.date]
    if config.date is not None:
        if config.date not in dates:
            raise ConfigError(
                f"features.date={config.date} is no date column of the dataset. "
                f"Date columns: {', '.join(dates) or 'none'}"
            )
        return config.date
    if len(dates) > 1:
        raise ConfigError(
            f"the dataset has the dates {', '.join(dates)}: say which one orders the rows, "
            f"features.date={dates[0]}"
        )
    return dates[0] if dates else None


def listed(kinds: Mapping[str, ColumnKind]) -> str:
    """Return the columns of a dataset for messages."""
    return ", ".join(kinds) or "none; declare them: '+dataset.columns={NAME: text}'"


def _of(column: AggregateColumn, kinds: Mapping[str, ColumnKind], where: str) -> Sequence[str]:
    if column.of is None:
        return []
    parts = [column.of] if column.of in kinds else [p.strip() for p in column.of.split("*")]
    unknown = [part for part in parts if part not in kinds]
    if unknown:
        raise ConfigError(
            f"{where}.of={column.of}: there is no column {unknown[0]!r}."
            f"{did_you_mean(unknown[0], kinds)} Columns: {listed(kinds)}"
        )
    if len(parts) > 2 or (len(parts) == 2 and column.function not in _PRODUCTS):
        raise ConfigError(
            f"{where}.of={column.of}: a product has two factors, and is taken by "
            f"{', '.join(function.value for function in _PRODUCTS)}"
        )
    return parts


def _check_function(
    config: AggregateConfig,
    column: AggregateColumn,
    of: Sequence[str],
    kinds: Mapping[str, ColumnKind],
    where: str,
) -> None:
    function = column.function
    said = f"{where}.function={function.value}"
    if not of and function in _NEEDS_OF:
        raise ConfigError(f"{said} needs a column: {where}.of=COLUMN")
    needed = _NEEDS.get(function)
    for name in of:
        if needed is not None and kinds[name] is not needed:
            raise ConfigError(
                f"{said} is of a {needed.value}, but {name} holds {kinds[name].value}"
            )
    if function in _DATED and kinds[of[0]] is ColumnKind.date:
        raise ConfigError(f"{said} is of a number or text; days since a date: days_since_first")
    dated = function in _DATED or (needed is ColumnKind.date and not of)
    if dated and date_column(config, kinds) is None:
        raise ConfigError(f"{said} needs a date column, which the dataset lacks")
    if function is Function.share and column.where is None and column.per is None:
        raise ConfigError(
            f"{said} is a share of what fulfils a condition: set {where}.where or per"
        )
    if column.per is not None and kinds.get(column.per) is not ColumnKind.text:
        texts = [name for name, kind in kinds.items() if kind is ColumnKind.text]
        raise ConfigError(
            f"{where}.per={column.per} is no text column of the dataset."
            f"{did_you_mean(column.per, texts)} Text columns: {', '.join(texts) or 'none'}"
        )
    if column.per is None and column.values:
        raise ConfigError(f"{where}.values are values of a column: set {where}.per")


def _check_names(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"features.columns gives the name {twice[0]!r} to two columns")
    taken = [name for name in names if name in TAKEN]
    if taken:
        raise ConfigError(
            f"features.columns.{taken[0]}: results have a column of this name: choose another"
        )
