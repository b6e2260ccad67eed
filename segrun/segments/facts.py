"""Facts: the columns that set a segment apart, in words, the strongest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.segments import wording
from segrun.segments.profile import NEGLIGIBLE, Fact, Profile, chance, cliffs_delta
from segrun.segments.season import calendars, season_facts

#: Facts per segment at the most.
MAX_FACTS = 12
#: Share of customers who have none of something from which on having any is told.
_OFTEN_NONE = 0.5
#: Share of an effect from which on it is most of it.
_MOST = 0.6
#: Chance effects that a column which was not clustered must exceed.
_CHANCES = 2.0
#: A mean that differs by less, as a share of the average or of a deviation, is not told.
_LEAST_AWAY = 0.05
#: Medians are told where their ratio is this much further from 1, in logarithms, than the means'.
_FURTHER = 1.5


def facts(
    profiles: Sequence[Profile],
    codes: NDArray[np.int64],
    n_segments: int,
    n_months: int | None = None,
) -> list[list[Fact]]:
    """Return the facts of every segment; `n_months` calendar months are what the input is of."""
    found_calendars = calendars([one.column for one in profiles], codes, n_segments, n_months)
    told = {column.name for calendar in found_calendars for column in calendar.columns}
    by_chance = chance(np.bincount(codes, minlength=n_segments), len(codes))
    left = [about for about in profiles if about.column.name not in told]
    every = [_of_column(about, codes, n_segments, profiles) for about in left]
    every += [season_facts(calendar, codes, n_segments) for calendar in found_calendars]
    found: list[list[Fact]] = [[] for _ in range(n_segments)]
    for place, fact in chain.from_iterable(every):
        # What was clustered differs by construction, what was not may do so by chance.
        if fact.clustered or abs(fact.effect) > _CHANCES * by_chance[place]:
            found[place].append(fact)
    return [_strongest(each) for each in found]


def _strongest(each: Iterable[Fact]) -> list[Fact]:
    apart = [fact for fact in each if abs(fact.effect) >= NEGLIGIBLE]
    # Rounded: what differs in the last bits only stays in the order of the columns.
    return sorted(apart, key=lambda fact: -round(abs(fact.effect), 6))[:MAX_FACTS]


def _of_column(
    about: Profile, codes: NDArray[np.int64], n_segments: int, profiles: Sequence[Profile]
) -> Iterator[tuple[int, Fact]]:
    """Yield place of the segment and fact, for every segment that differs."""
    if not about.overall_deviation > 0:
        return
    column = about.column
    delta = cliffs_delta(column.values, codes, n_segments)
    presence = _presence(about, codes, n_segments)
    for place in np.flatnonzero(np.abs(delta) >= NEGLIGIBLE):
        effect = float(delta[place])
        text = _sentence(about, int(place), effect, presence)
        if text:
            word = wording.word(about, int(place), effect > 0, profiles)
            most = wording.most(about, int(place), effect > 0, word)
            yield int(place), Fact(column.name, column.clustered, effect, text, word, most)


class _Presence(NamedTuple):
    """Who has any of something: shares of each segment and of all, and the effect of it."""

    share: NDArray[np.float64]
    of_all: float
    effect: NDArray[np.float64]


def _presence(about: Profile, codes: NDArray[np.int64], n_segments: int) -> _Presence | None:
    """Return who has more than 0 of a column; None where most have."""
    values = about.column.values
    if about.column.category or np.isnan(values).any() or values.min() < 0:
        return None
    if (values == 0).mean() < _OFTEN_NONE:
        return None
    above = (values > 0).astype(np.float64)
    counts = np.maximum(np.bincount(codes, minlength=n_segments), 1)
    share = np.bincount(codes, above, n_segments) / counts
    return _Presence(share, float(above.mean()), cliffs_delta(above, codes, n_segments))


def _sentence(about: Profile, place: int, effect: float, presence: _Presence | None) -> str:
    """Return the sentence that says best how a segment differs; empty where none is true."""
    name, mean, overall = about.column.called, float(about.mean[place]), about.overall_mean
    if about.column.category:
        return wording.category(name, mean, overall)
    # Where having any or none of it is most of the difference.
    if presence is not None and presence.effect[place] / effect >= _MOST:
        text = wording.having(f"have any {name}", float(presence.share[place]), presence.of_all)
        return wording.sentence(text)
    return _comparison(about, place, effect)


def _comparison(about: Profile, place: int, effect: float) -> str:
    name, mean, overall = about.column.called, float(about.mean[place]), about.overall_mean
    if _is_share(about):
        return wording.as_share(name, mean, overall) if (mean > overall) == (effect > 0) else ""
    median, middle = float(about.quantiles["median"][place]), about.overall_median
    agree = (mean > overall) == (effect > 0)
    typical = (median > middle) == (effect > 0) and median != middle
    # Few customers far away make the means of skewed columns; the middle one then tells more.
    if typical and (not agree or _says_more(median, middle, mean, overall)):
        return wording.by_medians(name, median, middle)
    if agree and np.isnan(about.ratio[place]) and abs(about.z[place]) >= _LEAST_AWAY:
        return wording.in_deviations(name, mean, overall, about.overall_deviation)
    if agree and abs(about.ratio[place] - 1) >= _LEAST_AWAY:
        return wording.against_average(name, mean, overall)
    return ""


def _is_share(about: Profile) -> bool:
    """Tell whether a column holds shares, such as that of purchases at night."""
    values = about.column.values
    return bool(
        np.nanmin(values) == 0
        and np.nanmax(values) == 1
        and not np.isin(values[~np.isnan(values)], (0, 1)).all()
    )


def _says_more(median: float, middle: float, mean: float, overall: float) -> bool:
    """Tell whether medians lie much further apart than means, as ratios."""
    if min(median, middle, mean, overall) <= 0:
        return False
    return bool(abs(np.log(median / middle)) > _FURTHER * abs(np.log(mean / overall)))


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
