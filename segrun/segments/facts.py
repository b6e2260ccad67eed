"""Facts: the columns that set a segment apart, in words, the strongest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrun.segments import wording
from segrun.segments.effect import NEGLIGIBLE, chance, cliffs_delta
from segrun.segments.profile import Profile
from segrun.segments.trade import Trade, trades

#: Facts per segment at the most.
MAX_FACTS = 12
#: A month's share of a segment's purchases must differ by this much to be its own fact.
_LINES_APART = 0.05
#: Zeros that a column of counts has, as a share, from which on having any is told.
_OFTEN_ZERO = 0.25
#: Chance effects that a column which was not clustered must exceed.
_CHANCES = 2.0


@dataclass(frozen=True)
class Fact:
    """One thing that sets a segment apart.

    Attributes
    ----------
    column : str
        Column that it is about.
    clustered : bool
        Whether the algorithm saw the column.
    effect : float
        Cliff's delta against all other customers, -1 to 1; of shares their difference.
    text : str
        The sentence.
    high : bool
        Whether the segment has more of it than others.
    scale : bool
        Whether it can be high or low; otherwise a segment has it or not: a month, a category.
    """

    column: str
    clustered: bool
    effect: float
    text: str
    high: bool
    scale: bool = True


def facts(
    profiles: Sequence[Profile], codes: NDArray[np.int64], n_segments: int
) -> list[list[Fact]]:
    """Return the facts of every segment.

    Parameters
    ----------
    profiles : sequence of Profile
        By column.
    codes : ndarray of int64, shape (n_samples,)
        Position of each row's segment, from 0.
    n_segments : int
        Number of segments.
    """
    sizes = np.bincount(codes, minlength=n_segments)
    calendars = trades([found.column for found in profiles], codes, n_segments)
    told = {column.name for calendar in calendars for column in calendar.columns}
    by_name = {found.column.name: found for found in profiles}
    noise = _CHANCES * chance(sizes, len(codes))
    found: list[list[Fact]] = [[] for _ in range(n_segments)]
    for about in profiles:
        if about.column.name not in told:
            for place, fact in _of_column(about, codes, n_segments):
                if fact.clustered or abs(fact.effect) > noise[place]:
                    found[place].append(fact)
    for calendar in calendars:
        own = [by_name[column.name] for column in calendar.columns]
        for place, fact in _of_calendar(calendar, own, codes, n_segments):
            if fact.clustered or abs(fact.effect) > noise[place]:
                found[place].append(fact)
    return [_strongest(each) for each in found]


def _strongest(each: Iterable[Fact]) -> list[Fact]:
    apart = [fact for fact in each if abs(fact.effect) >= NEGLIGIBLE]
    # Rounded: what differs in the last bits only stays in the order of the columns.
    return sorted(apart, key=lambda fact: -round(abs(fact.effect), 6))[:MAX_FACTS]


def _of_column(
    about: Profile, codes: NDArray[np.int64], n_segments: int
) -> Iterator[tuple[int, Fact]]:
    """Yield position of the segment and fact, for every segment that differs."""
    if not about.overall_deviation > 0:
        return
    column = about.column
    delta = cliffs_delta(column.values, codes, n_segments)
    presence = _presence(about, codes, n_segments)
    for place in np.flatnonzero(np.abs(delta) >= NEGLIGIBLE):
        effect = float(delta[place])
        text = _sentence(about, int(place), effect, presence)
        if text:
            yield (
                int(place),
                Fact(column.name, column.clustered, effect, text, effect > 0, not column.category),
            )


def _presence(
    about: Profile, codes: NDArray[np.int64], n_segments: int
) -> tuple[NDArray[np.float64], float] | None:
    """Return the share of customers above 0 per segment and of all; None where few are not."""
    values = about.column.values
    if about.column.category or np.isnan(values).any() or values.min() < 0:
        return None
    if (values == 0).mean() < _OFTEN_ZERO:
        return None
    above = (values > 0).astype(np.float64)
    counts = np.maximum(np.bincount(codes, minlength=n_segments), 1)
    return np.bincount(codes, above, n_segments) / counts, float(above.mean())


def _sentence(
    about: Profile,
    place: int,
    effect: float,
    presence: tuple[NDArray[np.float64], float] | None,
) -> str:
    """Return the sentence that says best how a segment differs; empty where none is true."""
    name, mean, overall = about.column.name, float(about.mean[place]), about.overall_mean
    if about.column.category:
        return wording.category(name, mean, overall)
    if presence is not None:
        share, of_all = float(presence[0][place]), presence[1]
        # Where having any or none of it is most of the difference.
        if abs(share - of_all) >= 0.6 * abs(effect) and (share > of_all) == (effect > 0):
            return wording.sentence(wording.having(f"have any {name}", share, of_all))
    if (mean > overall) == (effect > 0):
        if np.isnan(about.ratio[place]):
            return wording.in_deviations(name, mean, overall, about.overall_deviation)
        if abs(about.ratio[place] - 1) >= 0.05:
            return wording.against_average(name, mean, overall)
    # Few customers far away make the means of skewed columns; the middle one then tells more.
    median = float(about.quantiles["median"][place])
    if (median > about.overall_median) == (effect > 0) and median != about.overall_median:
        return wording.by_median(name, median, about.overall_median)
    return ""


def _of_calendar(
    calendar: Trade, profiles: Sequence[Profile], codes: NDArray[np.int64], n_segments: int
) -> Iterator[tuple[int, Fact]]:
    """Yield facts about months or weekdays: when a segment buys, and in how many of them."""
    active = calendar.active()
    delta = cliffs_delta(active, codes, n_segments)
    counts = np.maximum(np.bincount(codes, minlength=n_segments), 1)
    mean = np.bincount(codes, active, n_segments) / counts
    of = len(calendar.columns)
    for place in range(n_segments):
        # More months are more of everything: told only if it is so, and once for all of them.
        if abs(mean[place] - active.mean()) >= 0.5 and not np.isnan(delta[place]):
            text = (
                f"Buys {_when(calendar)} {mean[place]:.1f} of {of} {calendar.unit}s "
                f"({active.mean():.1f} on average)"
            )
            effect = float(delta[place])
            clustered = profiles[0].column.clustered
            yield place, Fact(f"{calendar.unit}s", clustered, effect, text, effect > 0)
    for number, about in enumerate(profiles):
        yield from _of_month(calendar, number, about, codes, n_segments)


def _of_month(
    calendar: Trade, number: int, about: Profile, codes: NDArray[np.int64], n_segments: int
) -> Iterator[tuple[int, Fact]]:
    column = about.column
    buys = (column.values > 0).astype(np.float64)
    counts = np.maximum(np.bincount(codes, minlength=n_segments), 1)
    share, of_all = np.bincount(codes, buys, n_segments) / counts, float(buys.mean())
    against_others = cliffs_delta(buys, codes, n_segments)
    when = f"{_when(calendar)} {column.name}"
    for place in range(n_segments):
        lines = float(calendar.lines_share[number, place])
        overall = float(calendar.overall_lines_share[number])
        apart = lines - overall
        if abs(apart) < _LINES_APART:
            continue
        effect = float(against_others[place])
        if (effect > 0) == (apart > 0) and abs(effect) >= abs(apart):
            text = wording.having(f"buy {when}", float(share[place]), of_all)
        else:
            effect = apart
            fall = f"of their purchases are {when}"
            text = f"{wording.percent(lines)} {fall} ({wording.percent(overall)} of all purchases)"
        yield (
            place,
            Fact(
                column.name,
                column.clustered,
                effect,
                wording.sentence(text),
                effect > 0,
                scale=False,
            ),
        )


def _when(calendar: Trade) -> str:
    return "in" if calendar.unit == "month" else "on"


def fact_rows(
    found: Sequence[Sequence[Fact]], numbers: Sequence[int], names: Sequence[str]
) -> list[dict[str, object]]:
    """Return the rows of ``facts.csv``, segment by segment, the strongest fact first."""
    return [
        {
            "segment": number,
            "name": name,
            "rank": rank,
            "column": fact.column,
            "clustered": fact.clustered,
            "effect": fact.effect,
            "text": fact.text,
        }
        for number, name, own in zip(numbers, names, found, strict=True)
        for rank, fact in enumerate(own, start=1)
    ]
