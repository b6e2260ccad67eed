"""Exact sums: numbers are added as whole numbers of small units, and divided once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.data.engines import collected
from segrun.errors import DataError

log = logging.getLogger("segrun.features")

#: Float sums differ in the last bits from run to run (threads add in another order) and between
#: engines, so prices are summed as integers: millionths, or smaller units where they need them.
USUAL_PLACES = 6

#: float64 has no exact power of ten beyond it.
MOST_PLACES = 22

#: Up to it, which is 15 digits, a price in float64 tells which whole number of units it is.
_CLEAR = 1e15

#: A price and its product with a power of ten are each off by 2**-53 at most.
ERROR = 2.0**-52

#: What is cast to int64 must fit; to int128, with room for sums.
_LARGEST, LARGEST_LONG = 2**62, 2**126

#: Half of what int64 holds: a sum of absolute values below it cannot overflow.
LARGEST_SUM = 2**62


@dataclass(frozen=True)
class Measure:
    """Numbers that are added up, row by row; null counts as nothing.

    Attributes
    ----------
    name : str
        Column of the sum.
    value : narwhals.Expr
        float64.
    times : narwhals.Expr or None
        int64 that each is multiplied by.
    what, where : str
        What is summed and the columns that it comes from, for messages.
    error : float
        Relative error that `value` may have by roundings.
    """

    name: str
    value: nw.Expr
    times: nw.Expr | None = None
    what: str = "amounts"
    where: str = "its columns"
    error: float = ERROR

    def columns(self) -> dict[str, nw.Expr]:
        """Return what is summed in the one pass over the rows, by column."""
        size = (self.value * 10.0**USUAL_PLACES).round(0)
        # Modin takes what comes of comparisons for a column without missing values, and casts it
        # as such.
        coarse = held(self.value, USUAL_PLACES, clear(self.error), error=self.error)
        finer = (~coarse.fill_null(value=True)).cast(nw.Int64)
        found = units(self.value, USUAL_PLACES)
        if self.times is not None:
            size = self.times * size
            # Where that is too much, DuckDB refuses the product of whole numbers and others take
            # what is left of it.
            times = nw.when(size.abs() <= LARGEST_SUM).then(self.times).otherwise(nw.lit(0))
            found = times * found
        name_of_size, name_of_finer = self.guards()
        return {self.name: found, name_of_size: size.abs(), name_of_finer: finer}

    def guards(self) -> tuple[str, str]:
        """Return the columns whose sums say whether those of `name` are exact."""
        return f"{self.name} size", f"{self.name} finer"


@dataclass(frozen=True)
class Sums:
    """Sums entity by entity, in units of so many decimal places."""

    units: Sequence[int] | NDArray[np.int64]
    places: int

    def over(self, divisors: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the nearest floats to the exact quotients."""
        scale = 10**self.places
        # numpy makes floats of both first, which the largest are not; Python's division is exact.
        if isinstance(self.units, np.ndarray) and np.abs(self.units).max(initial=0) <= 2**53:
            return np.asarray(self.units / (divisors * scale))
        pairs = zip(self.units, divisors.tolist(), strict=True)
        return np.array([int(total) / (n * scale) for total, n in pairs])

    def ratio(self, whole: Sums) -> NDArray[np.float64]:
        """Return the nearest floats to the shares of other sums, nan where these are 0."""
        own, other = 10**whole.places, 10**self.places
        pairs = zip(self.units, whole.units, strict=True)
        return np.array(
            [int(a) * own / (int(b) * other) if b else np.nan for a, b in pairs], dtype=np.float64
        )


def sums(measure: Measure, table: nw.DataFrame[Any], rows: nw.LazyFrame[Any], key: str) -> Sums:
    """Return the sums of a measure; see `finer_sums`."""
    found = finer_sums(measure, table, rows, key)
    return usual_sums(measure, table) if found is None else found


def usual_sums(measure: Measure, table: nw.DataFrame[Any]) -> Sums:
    """Return the sums of values rounded to the usual places."""
    return Sums(table[measure.name].to_numpy().astype(np.int64), USUAL_PLACES)


def finer_sums(
    measure: Measure, table: nw.DataFrame[Any], rows: nw.LazyFrame[Any], key: str
) -> Sums | None:
    """Return the sums of a measure in another pass, where values or sums need more than usual.

    That pass is by polars whatever the engine: it takes whole numbers of 128 bits, which pandas
    and Modin lack, and which Spark and DuckDB give back as decimals of 38 digits.
    """
    if not set(measure.guards()) <= set(table.columns):
        # Looked at before: see `partial.lean`.
        return None
    check_size(measure, table)
    if not table[f"{measure.name} finer"].sum() and largest(measure, table) <= LARGEST_SUM:
        return None
    places = _places(measure, rows, largest(measure, table))
    value = exact_units(measure.value, places, measure.error)
    if measure.times is not None:
        value = measure.times.cast(nw.Int128) * value
    found = rows.select(id=nw.col(key), value=value).group_by("id").agg(nw.col("value").sum())
    ordered = collected(found).sort("id")
    return Sums([int(total or 0) for total in ordered["value"].to_list()], places)


def check_size(measure: Measure, table: nw.DataFrame[Any]) -> None:
    """Refuse sums that not even 128 bits hold."""
    if largest(measure, table) / 10**USUAL_PLACES > LARGEST_LONG:
        worst = table.sort(f"{measure.name} size", descending=True)["id"][0]
        raise DataError(
            f"the {measure.what} of customer {worst} are too large to be summed exactly "
            f"(above {LARGEST_LONG:.3g} in all): look for a wrong {measure.where}"
        )


def largest(measure: Measure, table: nw.DataFrame[Any]) -> float:
    """Return the largest sum of absolute values of an entity, in the usual units."""
    return float(table[f"{measure.name} size"].max() or 0.0)


def _places(measure: Measure, rows: nw.LazyFrame[Any], size: float) -> int:
    """Return the decimal places that values have, as far as sums of this size can hold them."""
    asked = rows.select(places=needed_places(measure.value, measure.error))
    needed = int(collected(asked.select(nw.col("places").max()))["places"].item())
    places = min(needed, MOST_PLACES)
    while places and size * 10.0 ** (places - USUAL_PLACES) > LARGEST_LONG:
        places -= 1
    if places < needed:
        log.warning(
            "%s have %s decimal places, more than can be summed exactly: each is rounded to %d",
            measure.what if measure.times is None else f"{measure.what} or unit prices",
            f"over {MOST_PLACES}" if needed > MOST_PLACES else needed, places,
        )  # fmt: skip
    return places


def integers(table: nw.DataFrame[Any], column: str) -> NDArray[np.int64]:
    """Return a column of whole numbers."""
    return table[column].to_numpy().astype(np.int64)


def units(price: nw.Expr, places: int) -> nw.Expr:
    """Return prices as whole numbers of units with this many decimal places, as int64."""
    return (price * 10.0**places).round(0).clip(-_LARGEST, _LARGEST).cast(nw.Int64)


def clear(error: float) -> float:
    """Return up to which number of units a price with such an error tells which one it is."""
    return _CLEAR * ERROR / error


def held(price: nw.Expr, places: int, most: float, *, error: float = ERROR) -> nw.Expr:
    """Tell whether a price is a whole number of units, of `most` at most."""
    scaled = price * 10.0**places
    nearest = scaled.round(0)
    return ((scaled - nearest).abs() <= scaled.abs() * error) & (nearest.abs() <= most)


def needed_places(price: nw.Expr, error: float = ERROR) -> nw.Expr:
    """Return the fewest decimal places that hold a price; `MOST_PLACES` + 1 if none do.

    A missing one needs none.
    """
    needed = nw.lit(MOST_PLACES + 1)
    for places in reversed(range(MOST_PLACES + 1)):
        needed = nw.when(_held(price, places, error)).then(nw.lit(places)).otherwise(needed)
    return nw.when(price.is_null()).then(nw.lit(0)).otherwise(needed)


def exact_units(price: nw.Expr, places: int, error: float = ERROR) -> nw.Expr:
    """Return prices as `units` does, as int128, each from the fewest places that hold it.

    ``1234567.89 * 1e10`` in float64 is off by one unit or two; ``1234567.89 * 1e2`` is not.
    """
    found = _long_units(price, places)
    for own in reversed(range(places)):
        exact = _long_units(price, own) * nw.lit(10 ** (places - own), dtype=nw.Int128)
        found = nw.when(_held(price, own, error)).then(exact).otherwise(found)
    return found


def _held(price: nw.Expr, places: int, error: float) -> nw.Expr:
    """Tell whether so many places hold a price, a result of roundings if it is clear as such."""
    exactly = held(price, places, LARGEST_LONG)
    if error <= ERROR:
        return exactly
    return exactly | held(price, places, clear(error), error=error)


def _long_units(price: nw.Expr, places: int) -> nw.Expr:
    return (price * 10.0**places).round(0).clip(-LARGEST_LONG, LARGEST_LONG).cast(nw.Int128)
