"""Facts about when a segment buys: in which months, on which weekdays, and in how many of them.

Of columns that count purchases per month or weekday, what is told is told as shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.formats import percent_in_text
from segrun.segments import wording
from segrun.segments.profile import NEGLIGIBLE, Column, Fact, cliffs_delta

#: Columns by what they are, in order.
NAMES = {
    "month": ("January", "February", "March", "April", "May", "June", "July", "August",
              "September", "October", "November", "December"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}  # fmt: skip
#: A month's share of a segment's purchases must differ by this much to be its own fact.
_APART = 0.05
#: Months or weekdays more or fewer than others have, from which on that is told.
_MORE_ACTIVE = 0.5
#: Share of the months from which on somebody buys all the year.
_NEARLY_ALL = 0.75
#: Calendar months that a year, which may begin within one of them, lies in at the most.
_ABOUT_A_YEAR = 13
#: Share of the customers, or of their purchases, from which on a month is a name for a segment.
_MOST = 0.5

Found = Iterator[tuple[int, Fact]]


@dataclass(frozen=True)
class Calendar:
    """The months, or the weekdays, of a table."""

    unit: str  # month or weekday
    columns: Sequence[Column]  # purchases in each
    lines_share: NDArray[np.float64]  # (n_columns, n_segments): of each segment's purchases
    overall_lines_share: NDArray[np.float64]  # of all purchases
    #: Calendar months that the input is of, 48 of four years, which have twelve columns together;
    #: None where nobody knows.
    n_months: int | None = None

    @property
    def n_open(self) -> int:
        """Number of months or weekdays in which anybody buys."""
        return sum(bool((column.values > 0).any()) for column in self.columns)

    def active(self) -> NDArray[np.float64]:
        """Return the number of months or weekdays in which each customer buys."""
        buys = [column.values > 0 for column in self.columns]
        return np.asarray(np.sum(buys, axis=0, dtype=np.float64))


def calendars(
    columns: Sequence[Column],
    codes: NDArray[np.int64],
    n_segments: int,
    n_months: int | None = None,
) -> list[Calendar]:
    """Return the months and the weekdays, where a table has columns of them."""
    by_name = {column.name: column for column in columns if _is_count(column)}
    found = []
    for unit, names in NAMES.items():
        own = [by_name[name] for name in names if name in by_name]
        # Two at least: a share of one column would always be all.
        if len(own) < 2:
            continue
        sums = np.array([np.bincount(codes, column.values, n_segments) for column in own])
        totals = sums.sum(axis=0)
        shares = np.divide(sums, totals, out=np.zeros(sums.shape), where=totals > 0)
        overall = sums.sum(axis=1)
        found.append(Calendar(unit, own, shares, overall / max(overall.sum(), 1.0), n_months))
    return found


def _is_count(column: Column) -> bool:
    values = column.values
    whole = not np.isnan(values).any() and bool((values == np.floor(values)).all())
    return whole and not column.category and bool((values >= 0).all())


def season_facts(calendar: Calendar, codes: NDArray[np.int64], n_segments: int) -> Found:
    """Yield place of the segment and fact, for every segment that differs."""
    # Of noise alone there is no average.
    if not len(codes):
        return
    told = dict(_activity(calendar, codes, n_segments))
    yield from told.items()
    seasons = dict(_seasons(calendar, n_segments))
    yield from seasons.items()
    # Who buys in few months does not buy in the others: that goes without saying.
    silent = {place for place, fact in told.items() if fact.effect < 0} | set(seasons)
    for number in range(len(calendar.columns)):
        for place, fact in _single(calendar, number, codes, n_segments):
            if fact.effect > 0 or place not in silent:
                yield place, fact


def _activity(calendar: Calendar, codes: NDArray[np.int64], n_segments: int) -> Found:
    """Yield in how many months a segment buys."""
    active = calendar.active()
    delta = cliffs_delta(active, codes, n_segments)
    mean = np.bincount(codes, active, n_segments) / _sizes(codes, n_segments)
    for place in np.flatnonzero(np.abs(mean - active.mean()) >= _MORE_ACTIVE):
        effect = float(delta[place])
        if abs(effect) >= NEGLIGIBLE:
            text = (
                f"Buys {_on(calendar)} {mean[place]:.1f} {_of_how_many(calendar)} "
                f"({active.mean():.1f} on average)"
            )
            median = np.median(active[codes == place])
            sides = {np.sign(mean[place] - active.mean()), np.sign(median - np.median(active))}
            # No name where the mean or the median contradicts it.
            word = "" if -np.sign(effect) in sides else _often(calendar, mean[place], effect > 0)
            yield int(place), _fact(calendar, effect, text, word)


def _of_how_many(calendar: Calendar) -> str:
    """Say what months are counted: those of the calendar, where they are of several years."""
    if calendar.unit != "month":
        return f"of {calendar.n_open} weekdays"
    if calendar.n_months is not None and calendar.n_months <= 12:
        return f"of {calendar.n_open} months"
    together = (
        "whatever the year"
        if calendar.n_months is None
        else f"{calendar.n_months} months of data taken together"
    )
    return f"of the {calendar.n_open} calendar months, {together}"


def _often(calendar: Calendar, active: float, more: bool) -> str:
    of_one_year = calendar.n_months is not None and calendar.n_months <= _ABOUT_A_YEAR
    unit = "weekday" if calendar.unit == "weekday" else "month" if of_one_year else "calendar month"
    if not more:
        return f"Few {unit}s"
    every = len(NAMES[calendar.unit]) if calendar.unit == "month" else calendar.n_open
    if active < _NEARLY_ALL * every or unit == "calendar month":
        return f"Many {unit}s"
    return "All year" if unit == "month" else "All week"


def _seasons(calendar: Calendar, n_segments: int) -> Found:
    """Yield the months that hold most of a segment's purchases together, where several do."""
    names = [column.name for column in calendar.columns]
    apart = calendar.lines_share - calendar.overall_lines_share[:, None]
    for place in range(n_segments):
        season = np.flatnonzero(apart[:, place] >= _APART)
        own = float(calendar.lines_share[season, place].sum())
        overall = float(calendar.overall_lines_share[season].sum())
        if len(season) < 2 or own < _MOST or own - overall < 2 * NEGLIGIBLE:
            continue
        when = _span([names[number] for number in season], NAMES[calendar.unit])
        text = (
            f"{percent_in_text(own)} of their purchases are {_on(calendar)} {when} "
            f"({percent_in_text(overall)} of all purchases)"
        )
        yield place, _fact(calendar, own - overall, text, when)


def _span(names: Sequence[str], every: Sequence[str]) -> str:
    """Name months: the first to the last where they follow each other, over the year's end too."""
    n, places = len(every), [every.index(name) for name in names]
    begins = [place for place in places if (place - 1) % n not in places]
    first = begins[0] if len(begins) == 1 else 0
    told = [every[place] for place in sorted(places, key=lambda place: (place - first) % n)]
    if len(begins) == 1 and len(told) > 2:
        return f"{told[0]} to {told[-1]}"
    return f"{', '.join(told[:-1])} and {told[-1]}"


def _single(calendar: Calendar, number: int, codes: NDArray[np.int64], n_segments: int) -> Found:
    """Yield facts about one month: how many buy in it, or how much of their purchases it has."""
    column = calendar.columns[number]
    buys = (column.values > 0).astype(np.float64)
    share = np.bincount(codes, buys, n_segments) / _sizes(codes, n_segments)
    delta = cliffs_delta(buys, codes, n_segments)
    overall, of_all = float(calendar.overall_lines_share[number]), float(buys.mean())
    when = f"{_on(calendar)} {column.name}"
    for place in range(n_segments):
        lines = float(calendar.lines_share[number, place])
        apart, effect = lines - overall, float(delta[place])
        # Customers who buy more buy more in every month: that is not about the month.
        if abs(apart) < _APART:
            continue
        if (effect > 0) == (apart > 0) and abs(effect) >= abs(apart):
            text = wording.having(f"buy {when}", float(share[place]), of_all)
            most = share[place] >= _MOST
        else:
            effect, most = apart, lines >= _MOST
            text = (
                f"{percent_in_text(lines)} of their purchases are {when} "
                f"({percent_in_text(overall)} of all purchases)"
            )
        word = column.name if effect > 0 and most else ""
        yield place, Fact(column.name, column.clustered, effect, wording.sentence(text), word)


def _sizes(codes: NDArray[np.int64], n_segments: int) -> NDArray[np.int64]:
    return np.maximum(np.bincount(codes, minlength=n_segments), 1)


def _on(calendar: Calendar) -> str:
    return "in" if calendar.unit == "month" else "on"


def _fact(calendar: Calendar, effect: float, text: str, word: str) -> Fact:
    return Fact(f"{calendar.unit}s", calendar.columns[0].clustered, effect, text, word)
