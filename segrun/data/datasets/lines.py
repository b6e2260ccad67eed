"""Transaction lines in the columns and types of the contract, and those that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from segrun.config import FileConfig, RatingsFileConfig, RecordsConfig, TransactionsConfig
from segrun.data.datasets.columns import CANONICAL, NUMBERS, RECORD_ID, UCI, USES, Mapped, Use
from segrun.data.datasets.dates import in_calendar, to_date
from segrun.data.datasets.numbers import to_number
from segrun.data.datasets.readings import Readings, raw

_UCI_ORDER = [CANONICAL[role] for role in UCI]

#: Above it, float64 does not hold every whole number.
_LARGEST_WHOLE = 2.0**53

#: Numbers with more decimal places are results of floats, which have no digits of their own; more
#: than 22 in all are beyond the exact powers of ten of float64.
_QUANTITY_PLACES, _PRICE_PLACES = 9, 13

#: Up to it, which is 15 digits, float64 tells which decimal number it stands for.
_CLEAR = 1e15

#: A number and its product with a power of ten are each off by 2**-53 at most.
_ERROR = 2.0**-52


@dataclass(frozen=True)
class Lines:
    """The rows of a table with the values that are read from them.

    Attributes
    ----------
    frame : LazyFrame
        The rows, with a column more for each value.
    values : mapping of str to polars.Expr
        These columns by role: text, float64 or datetime.
    faults : mapping of str to polars.Expr
        By role: the text where it cannot be read, null elsewhere.
    expected : mapping of str to str
        By role: the column's name and, for messages, what its values should be.
    is_fraction : polars.Expr
        True for a row with a quantity that is not whole.
    """

    frame: pl.LazyFrame
    values: Mapping[str, pl.Expr]
    faults: Mapping[str, pl.Expr]
    expected: Mapping[str, tuple[str, str]]
    is_fraction: pl.Expr

    @property
    def bad(self) -> pl.Expr:
        """True for a row with a value that cannot be read."""
        faults = (fault.is_not_null() for fault in self.faults.values())
        return pl.any_horizontal(pl.lit(False), *faults)


def read_lines(
    frame: pl.LazyFrame, mapped: Mapped, readings: Readings, config: FileConfig
) -> Lines:
    """Return the lines of a table with dates and numbers read."""
    read = {role: _value(role, pl.col(raw(role)), mapped, readings) for role in mapped.columns}
    values = {role: pl.col(raw(f"{role} read")) for role in read}
    frame = frame.with_columns(**{raw(f"{role} read"): value for role, value in read.items()})
    # Pieces of the UCI data are whole.
    whole = not isinstance(config, TransactionsConfig | RecordsConfig | RatingsFileConfig)
    faults, expected = {}, {}
    for role in mapped.roles(Use.date, *NUMBERS):
        what, fault = _fault(mapped.uses[role], values[role], whole)
        given = pl.col(raw(role))
        faults[role] = pl.when(given.is_not_null() & fault).then(_shown(given, values[role]))
        expected[role] = (mapped.columns[role], what)
    pieces = [values[role] for role in mapped.roles(Use.quantity)]
    is_fraction = pieces[0] != pieces[0].round() if pieces else pl.lit(value=False)
    return Lines(frame, values, faults, expected, is_fraction)


def _value(role: str, text: pl.Expr, mapped: Mapped, readings: Readings) -> pl.Expr:
    if mapped.uses[role] is Use.date:
        found = readings.date_formats.get(role)
        return in_calendar(text) if found is None else to_date(text, found)
    if role in readings.forms:
        return to_number(text, readings.forms[role])
    if mapped.uses[role] is Use.id and readings.whole_ids:
        return text.str.replace(r"^(\d+)\.0+$", "$1")
    return text


def _shown(given: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Return a value as its cell shows it; a number of an Excel sheet stands here as 25e-1."""
    text = given.cast(pl.String)
    return pl.when(text.str.contains(r"^-?\d+e-\d+$")).then(value.cast(pl.String)).otherwise(text)


def _fault(use: Use, value: pl.Expr, whole: bool) -> tuple[str, pl.Expr]:
    if use is Use.date:
        return "a date like the others", value.is_null()
    unread = value.is_null() | ~value.is_finite()
    if use is Use.quantity:
        unread |= value.abs() > _LARGEST_WHOLE
        if whole:
            return "a whole number such as 6", unread | (value != value.round())
        return "a number such as 2.5, up to 9e15", unread
    return "a number such as 2.55", unread


def delivered(lines: Lines, config: FileConfig, *, fractions: bool) -> pl.LazyFrame:
    """Return lines in the columns that are delivered.

    Quantities of transactions are whole: where some have `fractions`, 2.5 pieces at 3 stand as 25
    pieces at 0.3.
    """
    read = lines.values
    if isinstance(config, RecordsConfig):
        values = {role: value for role, value in read.items() if role != RECORD_ID}
        return lines.frame.select(read[RECORD_ID].alias(config.id), **values)
    one = pl.lit(1, dtype=pl.Int64)
    found = {CANONICAL[role]: v for role, v in read.items() if USES[role] not in NUMBERS}
    if "amount" in read:
        quantity, price = one, read["amount"]
    elif "quantity" not in read:
        quantity, price = one, read["price"]
    elif fractions:
        quantity, price = _whole(read["quantity"], read["price"])
    else:
        quantity, price = read["quantity"].cast(pl.Int64), read["price"]
    found |= {"Quantity": quantity, "UnitPrice": price}
    return lines.frame.select(**{name: found[name] for name in _UCI_ORDER if name in found})


def _whole(quantity: pl.Expr, price: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return quantities without fractions and the prices that give the same amounts."""
    as_it_is = quantity == quantity.round()
    pieces, of_quantity = _digits(quantity, _QUANTITY_PLACES)
    digits, of_price = _digits(price, _PRICE_PLACES)
    held = pieces.is_not_null() & digits.is_not_null()
    # Read as text, it is the nearest float; polars divides by multiplying with 1 / divisor.
    exponent = -(of_quantity + of_price)
    written = pl.concat_str(digits.cast(pl.String), pl.lit("e"), exponent.cast(pl.String))
    given = quantity.is_not_null() & price.is_not_null()
    one = pl.when(quantity.is_not_null()).then(pl.lit(1, dtype=pl.Int64))
    each = pl.when(given).then(quantity * price).otherwise(price)
    pieces = pl.when(held).then(pieces).otherwise(one)
    each = pl.when(held).then(written.cast(pl.Float64, strict=False)).otherwise(each)
    return (
        pl.when(as_it_is).then(quantity.cast(pl.Int64, strict=False)).otherwise(pieces),
        pl.when(as_it_is).then(price).otherwise(each),
    )


def _digits(number: pl.Expr, most: int) -> tuple[pl.Expr, pl.Expr]:
    """Return the digits of numbers and how many are decimals; null above `most` of these."""
    digits, n_decimals = pl.lit(None, dtype=pl.Int64), pl.lit(None, dtype=pl.Int64)
    for places in reversed(range(most + 1)):
        scaled = number * 10.0**places
        nearest = scaled.round()
        held = ((scaled - nearest).abs() <= scaled.abs() * _ERROR) & (nearest.abs() <= _CLEAR)
        digits = pl.when(held).then(nearest.cast(pl.Int64, strict=False)).otherwise(digits)
        n_decimals = pl.when(held).then(pl.lit(places, dtype=pl.Int64)).otherwise(n_decimals)
    return digits, n_decimals
