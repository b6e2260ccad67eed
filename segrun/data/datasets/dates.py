"""Which format the dates of a column have: found over the whole column, never guessed.

Numbers may stand for dates as well: Unix time, and the days that Excel counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product

import polars as pl

from segrun.config import DateOrder
from segrun.data.datasets.quoting import quoted
from segrun.errors import DataError

_DAY_US = 86_400_000_000

#: The calendar of Python ends with 9999.
_YEARS = (1000, 9999)

#: Ends a format of ours whose texts carry a zone: 2010-12-01T08:26:00+01:00.
_ZONED = "%z"
_ZONE = r"\s?(?:Z|UTC|[+-]\d{2}:?\d{2})$"

_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "")
_ORDERS = {
    DateOrder.month_first: ("%m{s}%d{s}%Y", "%m{s}%d{s}%y"),
    DateOrder.day_first: ("%d{s}%m{s}%Y", "%d{s}%m{s}%y"),
    DateOrder.iso: ("%Y{s}%m{s}%d", "%y{s}%m{s}%d"),
}
#: Forms that no other order can be taken for, with any time behind them.
_NAMED = {
    DateOrder.month_first: ("%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
    DateOrder.day_first: ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y"),
    DateOrder.iso: (),
}
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M")

#: Of two fits that both fail somewhere, one this much worse than the other is out.
_CLEARLY_WORSE = 0.9

#: The first of three numbers is a year only if it has two digits: 5/3/24 begins with a day.
_SHORT_YEAR_FIRST = r"^\s*\d{2}\D"

#: Texts by which most formats are ruled out.
_N_FIRST = 50


@dataclass(frozen=True)
class Epoch:
    """What numbers count."""

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


@dataclass(frozen=True)
class DateFit:
    """A way to read the dates of a column."""

    order: DateOrder
    format: str
    dates: pl.Series
    n_read: int


def find_format(
    counted: pl.DataFrame, order: DateOrder, where: str, locate: Callable[[str], str] = quoted
) -> str:
    """Return the one format that reads the dates; a few may be beyond any."""
    if counted.is_empty():
        return "%Y-%m-%d"
    if epoch := find_epoch(counted["text"]):
        return epoch
    first = counted.top_k(_N_FIRST, by="count")["text"]
    near = [f for f in _formats(order) if _may_fit(f[1], first)]
    likely = [f for f in near if parse(first, f[1]).null_count() < len(first)]
    fits = sorted(_fits(counted, likely), key=lambda r: -r.n_read)
    n_lines = int(counted["count"].sum())
    if not fits or 2 * fits[0].n_read < n_lines:
        raise DataError(_unreadable(counted, fits, order, where, locate))
    best = fits[0]
    # Where the best reads every date, others must as well to be in doubt.
    least = n_lines if best.n_read == n_lines else _CLEARLY_WORSE * best.n_read
    distinct: list[DateFit] = []
    for fit in fits:
        if fit.n_read >= least and not any(_agree(fit, other) for other in distinct):
            distinct.append(fit)
    if len(distinct) > 1:
        raise DataError(_ambiguous(counted["text"], distinct, where, locate))
    return best.format


def only_order(counted: pl.DataFrame, date_format: str, order: DateOrder) -> bool:
    """Tell whether no format of another order reads every one of these dates as well."""
    first = counted.top_k(_N_FIRST, by="count")["text"]
    formats = list(_formats(order))
    own = {o for o, known in formats if known == date_format}
    others = [(o, f) for o, f in formats if o not in own and _may_fit(f, first)]
    others = [(o, f) for o, f in others if not parse(first, f).null_count()]
    return all(parse(counted["text"], f).null_count() for _, f in others)


def to_date(text: pl.Expr, date_format: str) -> pl.Expr:
    """Return text as dates, null where the format does not fit; without time it is midnight."""
    if date_format in EPOCHS:
        return to_moment(text, date_format)
    if date_format.endswith(_ZONED):
        # What the clock on the wall said is what weekdays and months are about.
        text = pl.when(text.str.contains(_ZONE)).then(text.str.replace(_ZONE, ""))
        date_format = date_format.removesuffix(_ZONED)
    if date_format.startswith("%y"):
        text = pl.when(text.str.contains(_SHORT_YEAR_FIRST)).then(text)
    dates = text.str.strip_chars().str.to_datetime(date_format, strict=False, time_unit="us")
    # %Y takes the 10 of 1/12/10 for the year 10.
    return in_calendar(dates)


def in_calendar(dates: pl.Expr) -> pl.Expr:
    """Return dates, null where the year has not four digits."""
    return pl.when(dates.dt.year().is_between(*_YEARS)).then(dates)


def parse(texts: pl.Series, date_format: str) -> pl.Series:
    """Read a series of texts; see `to_date`."""
    return texts.to_frame("text").select(to_date(pl.col("text"), date_format)).to_series()


def _formats(order: DateOrder) -> Iterator[tuple[DateOrder, str]]:
    """Yield order and format of every way to read that the order allows."""
    for wanted in [o for o in _ORDERS if order in (DateOrder.auto, o)]:
        for pattern, separator, joint, time in product(_ORDERS[wanted], "/-.", " T", _TIMES):
            if time or joint == " ":
                yield wanted, (pattern.format(s=separator) + joint + time).strip()
        for pattern, time in product(_NAMED[wanted], _TIMES):
            yield wanted, f"{pattern} {time}".strip()
        if wanted is DateOrder.iso:
            yield from ((wanted, pattern) for pattern in _COMPACT)
            for joint, time in product(" T", _TIMES[:3]):
                yield wanted, f"%Y-%m-%d{joint}{time}{_ZONED}"


def _may_fit(date_format: str, texts: pl.Series) -> bool:
    """Tell whether some text has the letters of a format: far cheaper than to parse it."""
    letters = set(re.sub(r"%\.?[a-zA-Z]", "", date_format))
    return any(letters <= set(text) for text in texts)


def _fits(counted: pl.DataFrame, formats: Iterable[tuple[DateOrder, str]]) -> Iterator[DateFit]:
    for order, date_format in formats:
        dates = parse(counted["text"], date_format)
        n_read = int(counted["count"].filter(dates.is_not_null()).sum())
        yield DateFit(order, date_format, dates, n_read)


def _agree(one: DateFit, other: DateFit) -> bool:
    """Tell whether two fits give the same date wherever both give one."""
    return bool((one.dates == other.dates).fill_null(value=True).all())


def _unreadable(
    counted: pl.DataFrame,
    fits: list[DateFit],
    order: DateOrder,
    where: str,
    locate: Callable[[str], str],
) -> str:
    unread = counted["text"]
    tried = ""
    if fits:
        unread = unread.filter(fits[0].dates.is_null())
        tried = f" (the others fit {fits[0].format})"
    examples = ", ".join(locate(text) for text in unread.sort().head(3))
    cure = "Give the format: dataset.date_format='%d.%m.%Y %H:%M'"
    if not fits and (epoch := likely_epoch(counted["text"])):
        cure = (
            f"Most may be {said_format(epoch)}: dataset.date_format={epoch} reads them so; what "
            "stands for a missing one is added to dataset.missing"
        )
    asked = "" if order is DateOrder.auto else f" with dataset.date_order={order.value}"
    return (
        f"{where}: {len(unread)} of {len(counted)} different dates cannot be read{asked}{tried}, "
        f"such as {examples}. {cure}"
    )


def _ambiguous(
    texts: pl.Series, fits: list[DateFit], where: str, locate: Callable[[str], str]
) -> str:
    # A date that the fits disagree on.
    first, second = fits[:2]
    row = (first.dates != second.dates).fill_null(value=False).arg_max() or 0
    shown = [
        f"{r.dates[row]:%d %B %Y} (dataset.date_order={r.order.value}, format {r.format})"
        for r in fits
        if r.dates[row] is not None
    ]
    return (
        f"{where}: dates can be read in {len(fits)} ways. {locate(texts[row])} is "
        f"{' or '.join(shown)}. Choose one of these settings, or give dataset.date_format"
    )


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
