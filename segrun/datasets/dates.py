"""Which format the dates of a column have: found over the whole column, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import polars as pl

from segrun.config import DateOrder
from segrun.errors import DataError

_FIRST_YEAR = 1000

_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "")
_ORDERS = {
    DateOrder.month_first: ("%m{s}%d{s}%Y", "%m{s}%d{s}%y"),
    DateOrder.day_first: ("%d{s}%m{s}%Y", "%d{s}%m{s}%y"),
    DateOrder.iso: ("%Y{s}%m{s}%d",),
}


@dataclass(frozen=True)
class Reading:
    """A way to read every date of the column."""

    order: DateOrder
    format: str
    dates: pl.Series


def find_format(texts: pl.Series, order: DateOrder, where: str) -> str:
    """Return the one strptime format that reads every date.

    Parameters
    ----------
    texts : polars.Series of str
        The distinct texts of the column, without missing ones.
    order : DateOrder
        Which order to accept; auto accepts any, if only one fits.
    where : str
        File and column, for messages.

    Raises
    ------
    DataError
        If no format reads every date, or several do and give different dates.
    """
    # The first text alone rules most formats out.
    likely = [f for f in _formats(order) if not parse(texts.head(1), f[1]).null_count()]
    readings = [r for r in _readings(texts, likely) if not r.dates.null_count()]
    distinct: list[Reading] = []
    for reading in readings:
        if not any(reading.dates.equals(other.dates) for other in distinct):
            distinct.append(reading)
    if not distinct:
        raise DataError(_unreadable(texts, order, where))
    if len(distinct) > 1:
        raise DataError(_ambiguous(texts, distinct, where))
    return distinct[0].format


def parse(texts: pl.Series, date_format: str) -> pl.Series:
    """Read dates, null where the format does not fit; a format without time gives midnight."""
    dates = texts.str.to_datetime(date_format, strict=False, time_unit="us")
    # %Y takes the 10 of 1/12/10 for the year 10.
    return dates.set(dates.dt.year() < _FIRST_YEAR, None)


def _formats(order: DateOrder) -> Iterator[tuple[DateOrder, str]]:
    """Yield order and format of every way to read that the order allows."""
    for wanted in [o for o in _ORDERS if order in (DateOrder.auto, o)]:
        for pattern, separator, joint, time in product(_ORDERS[wanted], "/-.", " T", _TIMES):
            if time or joint == " ":
                yield wanted, (pattern.format(s=separator) + joint + time).strip()


def _readings(texts: pl.Series, formats: Iterable[tuple[DateOrder, str]]) -> Iterator[Reading]:
    return (Reading(order, f, parse(texts, f)) for order, f in formats)


def _unreadable(texts: pl.Series, order: DateOrder, where: str) -> str:
    best = min(_readings(texts, _formats(order)), key=lambda r: r.dates.null_count())
    bad = texts.filter(best.dates.is_null())
    examples = ", ".join(repr(text) for text in bad.head(3))
    tried = f" (the others fit {best.format})" if len(bad) < len(texts) else ""
    return (
        f"{where}: {len(bad)} of {len(texts)} different dates cannot be read{tried}, such as "
        f"{examples}. Give the format: dataset.date_format='%d.%m.%Y %H:%M'"
    )


def _ambiguous(texts: pl.Series, readings: list[Reading], where: str) -> str:
    # A date that the readings disagree on.
    row = next(i for i in range(len(texts)) if len({r.dates[i] for r in readings}) > 1)
    shown = [
        f"{r.dates[row]:%d %B %Y} (dataset.date_order={r.order.value}, format {r.format})"
        for r in readings
    ]
    return (
        f"{where}: every date can be read in {len(readings)} ways. {texts[row]!r} is "
        f"{' or '.join(shown)}. Choose one of these settings, or give dataset.date_format"
    )
