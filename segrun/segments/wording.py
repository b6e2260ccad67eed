"""Sentences about segments, and words that no mean or median contradicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from segrun.formats import in_text, percent_in_text, times
from segrun.segments.profile import Profile

#: From this multiple of the average on, it is told as such and not in per cent.
_MANY_TIMES = 6.0
#: Columns that count the same: who is called frequent for one is so by the others.
_ALIKE = frozenset({"numberoforders", "frequency", "orders", "invoices"})
#: Deviations from those of all that a mean and a median may have which are average.
_AVERAGE = 0.05
#: What a column's being high or low is called, by its name in small letters.
_WORDS = {
    "recency": ("Lapsed", "Recent"),
    "numberoforders": ("Frequent", "Infrequent"),
    "frequency": ("Frequent", "Infrequent"),
    "firstpurchase": ("Long-standing", "New"),
}
_MOST = {
    "Lapsed": "Longest lapsed", "Recent": "Most recent", "Frequent": "Most frequent",
    "Infrequent": "Least frequent",
}  # fmt: skip


def against_average(name: str, mean: float, overall: float) -> str:
    """Say how a mean compares with that of all, for a column that is never negative."""
    beside = f"({in_text(mean)} against {in_text(overall)})"
    if mean == 0:
        return f"{name} is 0 for all of them (the average is {in_text(overall)})"
    ratio = mean / overall
    if ratio >= _MANY_TIMES:
        return f"{name} is {times(ratio)} times the average {beside}"
    return f"{name} is {_away(ratio, 'above', 'below')} average {beside}"


def by_medians(name: str, median: float, overall: float) -> str:
    """Say how the middle customer compares with the middle one of all, in a skewed column."""
    beside = f"(median {in_text(median)} against {in_text(overall)})"
    if overall <= 0 or median <= 0:
        side = "higher" if median > overall else "lower"
        return f"{name} is typically {side} {beside}"
    ratio = median / overall
    if ratio >= _MANY_TIMES:
        return f"{name} is typically {times(ratio)} times as high {beside}"
    return f"{name} is typically {_away(ratio, 'higher', 'lower')} {beside}"


def as_share(name: str, mean: float, overall: float) -> str:
    """Say how large the shares in a column are."""
    return f"{name} is {percent_in_text(mean)} on average ({percent_in_text(overall)} for all)"


def _away(ratio: float, more: str, less: str) -> str:
    return f"{100 * abs(ratio - 1):.0f} % {more if ratio >= 1 else less}"


def in_deviations(name: str, mean: float, overall: float, deviation: float) -> str:
    """Say how a mean compares with that of all, for a column that can be negative."""
    away = (mean - overall) / deviation
    side = "above" if away > 0 else "below"
    return (
        f"{name} is {in_text(abs(away))} standard deviations {side} average "
        f"({in_text(mean)} against {in_text(overall)})"
    )


def having(what: str, share: float, overall: float) -> str:
    """Say how many have something, against how many of all; `what` begins with a verb."""
    if share in (0, 1):
        return f"{'all' if share else 'none'} of them {what} ({percent_in_text(overall)} of all)"
    only = "only " if share < overall else ""
    return f"{only}{percent_in_text(share)} {what} ({percent_in_text(overall)} of all)"


def category(name: str, share: float, overall: float) -> str:
    """Say how frequent a value of a text column, ``Country=France``, is in a segment."""
    column, _, value = name.partition("=")
    own, of_all = percent_in_text(share), percent_in_text(overall)
    return f"{column} {value}: {own} of the segment, {of_all} of all"


def sentence(text: str) -> str:
    """Return a text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def word(about: Profile, place: int, high: bool, profiles: Iterable[Profile]) -> str:
    """Return what a segment may be called for having much or little of a column.

    Of all columns in `profiles` some count the same. '' where every word would be false.
    """
    found = _word(about, high)
    # "High Invoices" is about this column alone, "Frequent" about all that count orders.
    broad = about.column.name not in found
    alike = [about, *(other for other in profiles if broad and _are_alike(about, other))]
    contradicted = any(_contradicted(one, place, high) for one in alike)
    return _medium(about, place) if contradicted else found


def _word(about: Profile, high: bool) -> str:
    name = about.column.name
    if about.column.category:
        # That somebody is not from France is no name, and a value says nothing without its column.
        return " ".join(name.split("=", 1)) if high else ""
    known = _WORDS.get(name.lower(), (f"High {name}", f"Low {name}"))
    return known[0] if high else known[1]


def most(about: Profile, place: int, high: bool, word: str) -> str:
    """Return the superlative of a word that `word` gave; '' where another has as much or more."""
    if about.column.category or word != _word(about, high):
        return ""
    sign = 1 if high else -1
    mean, median = sign * about.mean, sign * about.quantiles["median"]
    others = np.arange(len(mean)) != place
    if not ((mean[place] > mean[others]).all() and (median[place] >= median[others]).all()):
        return ""
    first, _, rest = word.partition(" ")
    return f"{first}est {rest}" if first in ("High", "Low") else _MOST.get(word, "")


def word_without_facts(profiles: Sequence[Profile], place: int) -> str:
    """Return what a segment may be called that no fact names; '' where nothing is true."""
    clustered = [one for one in profiles if one.column.clustered and one.overall_deviation > 0]
    numeric = [one for one in clustered if not one.column.category]
    if clustered and all(_is_average(one, place) for one in clustered):
        return "Average"
    # By the column that tells the segments apart most.
    widest = max(numeric, key=lambda one: float(np.nanmax(one.z) - np.nanmin(one.z)), default=None)
    return _medium(widest, place) if widest else ""


def _medium(about: Profile, place: int) -> str:
    """Return the word for a segment that lies between two others; '' for others, a category."""
    if about.column.category:
        return ""
    mean, median = about.mean, about.quantiles["median"]
    below = (mean < mean[place]) & (median < median[place])
    above = (mean > mean[place]) & (median > median[place])
    return f"Medium {about.column.name}" if below.any() and above.any() else ""


def _contradicted(about: Profile, place: int, high: bool) -> bool:
    """Tell whether mean or median lie on the other side of those of all."""
    mean = float(about.mean[place])
    if about.column.category:
        # The median of 0 and 1 is that of the larger part.
        return mean <= about.overall_mean or mean < 0.5
    median = float(about.quantiles["median"][place])
    sign = 1 if high else -1
    return sign * mean < sign * about.overall_mean or sign * median < sign * about.overall_median


def _are_alike(one: Profile, other: Profile) -> bool:
    names = {one.column.name.lower(), other.column.name.lower()}
    return len(names) == 2 and names <= _ALIKE and other.overall_deviation > 0


def _is_average(about: Profile, place: int) -> bool:
    apart = [float(about.mean[place]) - about.overall_mean]
    if not about.column.category:
        apart.append(float(about.quantiles["median"][place]) - about.overall_median)
    return all(abs(one) <= _AVERAGE * about.overall_deviation for one in apart)
