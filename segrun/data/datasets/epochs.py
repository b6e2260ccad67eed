"""Numbers that stand for dates: Unix time, and the days that Excel counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Epoch:
    """What numbers count.

    Attributes
    ----------
    said : str
        In words.
    start : datetime
        The moment that is 0.
    step_us : int
        Microseconds from one number to the next.
    exact_us : int
        Microseconds to which fractions are exact.
    """

    said: str
    start: datetime
    step_us: int
    exact_us: int = 1


#: By what `dataset.date_format` calls them. Of fractions of days Excel keeps milliseconds; its
#: 29 February 1900 puts the start of the days after it one day back.
EPOCHS = {
    "unix_s": Epoch("Unix time in seconds, UTC", datetime(1970, 1, 1), 10**6),
    "unix_ms": Epoch("Unix time in milliseconds, UTC", datetime(1970, 1, 1), 10**3),
    "unix_us": Epoch("Unix time in microseconds, UTC", datetime(1970, 1, 1), 1),
    "excel_1900": Epoch("days as Excel counts them", datetime(1899, 12, 30), _DAY_US, 1000),
    "excel_1904": Epoch("days from 1904 as Excel counts them", datetime(1904, 1, 1), _DAY_US, 1000),
}

#: Between them no number is a date by two of Unix time's units, nor one as 20110131 is.
_FIRST, _LAST = datetime(1980, 1, 1), datetime(2100, 1, 1)


def to_moment(text: pl.Expr, name: str) -> pl.Expr:
    """Return numbers in text as dates, null where they are none or beyond the calendar."""
    epoch = EPOCHS[name]
    number = text.str.strip_chars().cast(pl.Float64, strict=False)
    steps = (number * (epoch.step_us / epoch.exact_us)).round()
    moment = steps * epoch.exact_us + _us(epoch.start)
    in_range = moment.is_between(_us(datetime(1000, 1, 1)), _us(datetime(9999, 12, 31)))
    return pl.when(in_range).then(moment).cast(pl.Int64).cast(pl.Datetime("us"))


def plausible(dates: pl.Expr) -> pl.Expr:
    """Tell whether dates are such as people have; null where there is none."""
    return dates.is_between(_FIRST, _LAST, closed="left")


def n_plausible(texts: pl.Series, name: str) -> int:
    """Return how many texts are numbers that stand for plausible dates."""
    found = texts.to_frame("text").select(plausible(to_moment(pl.col("text"), name)).sum())
    return int(found.item())


def find_epoch(texts: pl.Series) -> str | None:
    """Return which Unix time every text is by its size, None where one is not."""
    unix = [name for name in EPOCHS if name.startswith("unix")]
    return next((name for name in unix if n_plausible(texts, name) == len(texts)), None)


def likely_epoch(texts: pl.Series) -> str | None:
    """Return what most texts may count, None where it is nothing."""
    found = {name: n_plausible(texts, name) for name in EPOCHS}
    best = max(found, key=lambda name: found[name])
    return best if 2 * found[best] > len(texts) else None


def said_format(date_format: str) -> str:
    """Say how dates are read."""
    known = EPOCHS.get(date_format)
    return date_format if known is None else f"{known.said} ({date_format})"


def _us(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1)).total_seconds() * 1e6
