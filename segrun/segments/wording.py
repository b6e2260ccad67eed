"""Sentences about segments."""

from __future__ import annotations

from segrun.formats import in_text, percent_in_text, times

#: From this multiple of the average on, it is told as such and not in per cent.
_MANY_TIMES = 6.0


def against_average(name: str, mean: float, overall: float) -> str:
    """Say how a mean compares with that of all, for a column that is never negative."""
    beside = f"({in_text(mean)} against {in_text(overall)})"
    if mean == 0:
        return f"{name} is 0 for all of them (the average is {in_text(overall)})"
    ratio = mean / overall
    if ratio >= _MANY_TIMES:
        return f"{name} is {times(ratio)} times the average {beside}"
    if ratio >= 1:
        return f"{name} is {100 * (ratio - 1):.0f} % above average {beside}"
    return f"{name} is {100 * (1 - ratio):.0f} % below average {beside}"


def by_medians(name: str, median: float, overall: float) -> str:
    """Say how the middle customer compares with the middle one of all, in a skewed column."""
    beside = f"(median {in_text(median)} against {in_text(overall)})"
    if overall <= 0 or median <= 0:
        side = "higher" if median > overall else "lower"
        return f"{name} is typically {side} {beside}"
    ratio = median / overall
    if ratio >= _MANY_TIMES:
        return f"{name} is typically {times(ratio)} times as high {beside}"
    away, side = (ratio - 1, "higher") if ratio >= 1 else (1 - ratio, "lower")
    return f"{name} is typically {100 * away:.0f} % {side} {beside}"


def as_share(name: str, mean: float, overall: float) -> str:
    """Say how large the shares in a column are."""
    return f"{name} is {percent_in_text(mean)} on average ({percent_in_text(overall)} for all)"


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


def word(column: str, high: bool, category: bool) -> str:
    """Return what a segment may be called that has much or little of a column; '' for nothing."""
    if category:
        # That somebody is not from France is no name, and a value says nothing without its column.
        return " ".join(column.split("=", 1)) if high else ""
    known = _WORDS.get(column.lower())
    if known:
        return known[0] if high else known[1]
    return f"{'High' if high else 'Low'} {column}"


def most(known: str) -> str:
    """Return a word for having more of it than others of the same name; '' where there is none."""
    first, _, rest = known.partition(" ")
    if first in ("High", "Low"):
        return f"{first}est {rest}"
    return _MOST.get(known, "")
