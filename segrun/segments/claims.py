"""What a segment may be called for a column: nothing that its mean or its median contradicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from segrun.segments import wording
from segrun.segments.profile import Profile

#: Columns that count the same: who is called frequent for one is so by the others.
_ALIKE = frozenset({"numberoforders", "frequency", "orders", "invoices"})
#: Deviations from those of all that a mean and a median may have which are average.
_AVERAGE = 0.05


def word(about: Profile, place: int, high: bool, profiles: Iterable[Profile]) -> str:
    """Return what a segment may be called for having much or little of a column.

    Parameters
    ----------
    about : Profile
        The column.
    place : int
        Of the segment.
    high : bool
        Whether it has more than others.
    profiles : iterable of Profile
        All columns: some of them count the same.

    Returns
    -------
    str
        Empty where every word would be false.
    """
    found = wording.word(about.column.name, high, about.column.category)
    # "High Invoices" is about this column alone, "Frequent" about all that count orders.
    broad = about.column.name not in found
    alike = [about, *(other for other in profiles if broad and _are_alike(about, other))]
    contradicted = any(_contradicted(one, place, high) for one in alike)
    return medium(about, place) if contradicted else found


def most(about: Profile, place: int, high: bool, word: str) -> str:
    """Return the superlative of a word that `word` gave; '' where another has as much or more."""
    if about.column.category or word != wording.word(about.column.name, high, category=False):
        return ""
    sign = 1 if high else -1
    mean, median = sign * about.mean, sign * about.quantiles["median"]
    others = np.arange(len(mean)) != place
    first = (mean[place] > mean[others]).all() and (median[place] >= median[others]).all()
    return wording.most(word) if first else ""


def medium(about: Profile, place: int) -> str:
    """Return the word for a segment that lies between two others; '' for others, a category."""
    if about.column.category:
        return ""
    mean, median = about.mean, about.quantiles["median"]
    below = (mean < mean[place]) & (median < median[place])
    above = (mean > mean[place]) & (median > median[place])
    return f"Medium {about.column.name}" if below.any() and above.any() else ""


def without_facts(profiles: Sequence[Profile], place: int) -> str:
    """Return what a segment may be called that no fact names; '' where nothing is true."""
    clustered = [one for one in profiles if one.column.clustered and one.overall_deviation > 0]
    numeric = [one for one in clustered if not one.column.category]
    if clustered and all(_is_average(one, place) for one in clustered):
        return "Average"
    # By the column that tells the segments apart most.
    widest = sorted(numeric, key=lambda one: -float(np.nanmax(one.z) - np.nanmin(one.z)))
    return medium(widest[0], place) if widest else ""


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
