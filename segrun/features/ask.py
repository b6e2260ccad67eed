"""What each declared column asks of the rows, and how the answers become its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import ColumnKind, Function
from segrun.data.datasets.rows import Rows, own_names
from segrun.features.declared import Declared
from segrun.features.lines import days_before
from segrun.features.partial import Answers, Merge
from segrun.features.sums import Measure, integers

#: A product of two floats, each off by 2**-53, and rounded.
_PRODUCT_ERROR = 2.0**-50

#: Between a moment as text and the value that a row had then.
_MARK = "\x1f"


@dataclass(frozen=True)
class Ask:
    """One declared column as expressions.

    `rows` are computed for every row, by name; `answers` for every entity: how, and from which of
    `rows`. `measures` are added up exactly, of a share the part and the whole. What is
    `by_polars` is for polars to compute, whatever the engine.
    """

    column: Declared
    rows: Mapping[str, nw.Expr]
    answers: Mapping[str, tuple[Merge, str]]
    measures: tuple[Measure, ...] = ()
    by_polars: bool = False


def ask(number: int, column: Declared, source: Rows, date: str | None) -> Ask:
    """Return what a column asks of the rows."""
    name, function, kinds = f"c{number}", column.config.function, source.kinds
    counted = {f"{name} n": _flag(column.rows, column.of)}
    added = {f"{name} n": (Merge.add, f"{name} n")}
    if function is Function.count:
        return Ask(column, counted, added)
    if function is Function.share and not column.of:
        whole = {f"{name} of": _flag(column.base, ())}
        return Ask(column, counted | whole, added | {f"{name} of": (Merge.add, f"{name} of")})
    if function in (Function.sum, Function.mean, Function.share):
        names = own_names(source.facts, column.of)
        return _summed(name, column, (counted, added), names)
    if function is Function.distinct:
        own = {name: _where(column.rows, nw.col(column.of[0]))}
        return Ask(column, counted | own, added | {name: (Merge.distinct, name)})
    value, merge = _extreme(column, kinds, date)
    told = function in (Function.first, Function.last)
    # Of several numbers of one moment the text decides, and engines write 1e16 in their own ways.
    number = told and kinds[column.of[0]] is ColumnKind.number
    rows = {name: _where(column.rows, value)}
    return Ask(column, rows, {name: (merge, name)}, by_polars=number)


def values(number: int, asked: Ask, answers: Answers) -> NDArray[Any]:
    """Return a column's values: int64, float64 (missing nan) or str objects (missing None)."""
    name, function, table = f"c{number}", asked.column.config.function, answers.table
    if asked.measures:
        return _of_sums(name, asked, answers)
    if function in (Function.count, Function.share, Function.distinct):
        return _of_counts(name, function, table)
    if function in (Function.days_since, Function.days_since_first):
        return days_before(table[name], answers.reference)
    if function in (Function.min, Function.max):
        # Plus zero: of 0.0 and -0.0, which are equal, either may be the least.
        return table[name].cast(nw.Float64).fill_null(np.nan).to_numpy() + 0.0
    return _told(table[name], text=asked.column.text)


def _of_counts(name: str, function: Function, table: nw.DataFrame[Any]) -> NDArray[Any]:
    n = integers(table, f"{name} n")
    if function is Function.count:
        return n
    if function is Function.share:
        whole = integers(table, f"{name} of")
        return np.where(whole > 0, n / np.maximum(whole, 1), np.nan)
    # A missing value, or a row that does not count, is one more to n_unique.
    return integers(table, name) - (n < integers(table, "n_lines"))


def _flag(rows: nw.Expr | None, of: Any) -> nw.Expr:
    """Return 1 for a row that counts, 0 for others.

    0/1 columns and their sums: conditional aggregates differ between engines.
    """
    flag = nw.lit(value=True) if rows is None else rows
    for column in of:
        flag = flag & ~nw.col(column).is_null()
    return nw.when(flag).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _where(rows: nw.Expr | None, value: nw.Expr) -> nw.Expr:
    return value if rows is None else nw.when(rows).then(value)


def _summed(
    name: str,
    column: Declared,
    of_rows: tuple[Mapping[str, nw.Expr], Mapping[str, tuple[Merge, str]]],
    names: Sequence[str],
) -> Ask:
    counted, added = of_rows
    value = nw.col(column.of[0]).cast(nw.Float64)
    if len(column.of) == 2:
        value = value * nw.col(column.of[1]).cast(nw.Float64)
    error = _PRODUCT_ERROR if len(column.of) == 2 else 2.0**-52
    what, of = f"values of features.columns.{column.key}", " or ".join(names)

    def measure(suffix: str, rows: nw.Expr | None) -> Measure:
        return Measure(f"{name}{suffix}", _where(rows, value), None, what, of, error)

    measures = [measure("", column.rows)]
    if column.config.function is Function.share:
        measures.append(measure(" of", column.base))
    if column.config.function is not Function.mean:
        counted, added = {}, {}
    rows = {**counted, **{k: e for m in measures for k, e in m.columns().items()}}
    sums = {k: (Merge.add, k) for m in measures for k in m.columns()}
    return Ask(column, rows, {**added, **sums}, tuple(measures))


def _extreme(
    column: Declared, kinds: Mapping[str, ColumnKind], date: str | None
) -> tuple[nw.Expr, Merge]:
    """Return what the least or the greatest is asked of, and which of them."""
    function = column.config.function
    if function in (Function.min, Function.max):
        return nw.col(column.of[0]), Merge.least if function is Function.min else Merge.most
    if function in (Function.days_since, Function.days_since_first):
        when = column.of[0] if column.of else date
        assert when is not None
        first = function is Function.days_since_first
        return nw.col(when), Merge.least if first else Merge.most
    assert date is not None
    value = nw.col(column.of[0])
    if kinds[column.of[0]] is ColumnKind.number:
        value = value.cast(nw.Float64)
    # The least text of moment and value: of several rows of one moment always the same one,
    # whatever order the rows come in.
    told = nw.concat_str(_in_order(nw.col(date)), value.cast(nw.String), separator=_MARK)
    known = ~nw.col(date).is_null() & ~nw.col(column.of[0]).is_null()
    merge = Merge.least if function is Function.first else Merge.most
    return nw.when(known).then(told), merge


def _in_order(date: nw.Expr) -> nw.Expr:
    """Return moments as texts of 19 digits, in the order of time.

    Formats differ between engines, and microseconds since 1970 are not known to all.
    """
    # pandas makes floats of the parts of dates if one is missing. Such rows do not count.
    when = date.fill_null(datetime(1, 1, 1)).dt
    ordinal = when.year().cast(nw.Int64)
    for part, n_values in (
        (when.month(), 13), (when.day(), 32), (when.hour(), 24), (when.minute(), 60),
        (when.second(), 60), (when.microsecond(), 1_000_000),
    ):  # fmt: skip
        ordinal = ordinal * n_values + part.cast(nw.Int64)
    # Up to the year 9999 they are below 4e17: with one digit more in front, all have as many.
    return (ordinal + 10**18).cast(nw.String)


def _of_sums(name: str, asked: Ask, answers: Answers) -> NDArray[Any]:
    function = asked.column.config.function
    found = [answers.sums(measure) for measure in asked.measures]
    if function is Function.share:
        return found[0].ratio(found[1])
    if function is Function.sum:
        return found[0].over(np.ones(len(answers.table), dtype=np.int64))
    n = integers(answers.table, f"{name} n")
    mean = found[0].over(np.maximum(n, 1))
    return np.where(n > 0, mean, np.nan)


def _told(found: nw.Series[Any], *, text: bool) -> NDArray[Any]:
    values = [None if told is None else told.split(_MARK, 1)[1] for told in found.to_list()]
    if text:
        return np.array(values, dtype=object)
    return np.array([np.nan if value is None else float(value) for value in values])
