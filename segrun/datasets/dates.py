"""Which format the dates of a column have: found over the whole column, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import polars as pl

from segrun.config import DateOrder
from segrun.errors import DataError

_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "")
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
    readings = [r for r in _readings(texts, order) if not r.dates.null_count()]
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
    # Without %H chrono cannot make a datetime.
    if "%H" not in date_format:
        return texts.str.to_date(date_format, strict=False).cast(pl.Datetime("us"))
    return texts.str.to_datetime(date_format, strict=False, time_unit="us")


def _readings(texts: pl.Series, order: DateOrder) -> list[Reading]:
    orders = [o for o in _ORDERS if order in (DateOrder.auto, o)]
    first = texts.head(1)
    found = []
    for wanted in orders:
        for pattern, separator, joint, time in product(_ORDERS[wanted], "/-.", " T", _TIMES):
            date_format = (pattern.format(s=separator) + joint + time).strip(" T")
            # The first text alone rules most formats out.
            if (not time and joint == "T") or parse(first, date_format).null_count():
                continue
            found.append(Reading(wanted, date_format, parse(texts, date_format)))
    return found


def _unreadable(texts: pl.Series, order: DateOrder, where: str) -> str:
    best = max(_readings(texts, order), key=lambda r: -r.dates.null_count(), default=None)
    bad = texts if best is None else texts.filter(best.dates.is_null())
    examples = ", ".join(repr(text) for text in bad.head(3))
    tried = f" (most fit {best.format})" if best is not None else ""
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
