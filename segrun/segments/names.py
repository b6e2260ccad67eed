"""Names of segments: given by hand, by rule, in order along a column, or proposed from facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from segrun.config import NamesConfig
from segrun.errors import DataError
from segrun.segments.profile import LARGE, Fact, Profile, column_named
from segrun.segments.rule import parse, unfit
from segrun.segments.segment import NOISE
from segrun.segments.wording import word_without_facts

OUTLIERS = "Outliers"
#: Words of ours, which begin with a small letter behind another.
_SMALL = ("High", "Medium", "Low", "All", "Few", "Many", "Lapsed", "Recent", "Frequent",
          "Infrequent")  # fmt: skip


@dataclass(frozen=True)
class _Values:
    """The values of one segment, as rules ask for them."""

    profiles: Sequence[Profile]
    place: int
    key: str

    def of_segment(self, column: str) -> float:
        found = self._profile(column)
        values = found.mean if found.column.category else found.quantiles.get("median")
        # Of a column without any value nothing is known, and no comparison with NaN holds.
        return float("nan") if values is None else float(values[self.place])

    def of_all(self, column: str, what: str | float) -> float:
        found = self._profile(column)
        if what == "mean":
            return found.overall_mean
        if what == "median":
            return found.overall_median
        values = found.column.values
        known = values[~np.isnan(values)]
        return float(np.quantile(known, float(what))) if len(known) else float("nan")

    def _profile(self, column: str) -> Profile:
        return _profile_named(column, self.profiles, self.key)


def _profile_named(name: str, profiles: Sequence[Profile], key: str) -> Profile:
    column = column_named(name, [found.column for found in profiles], key)
    return next(found for found in profiles if found.column.name == column.name)


def names(
    config: NamesConfig,
    numbers: Sequence[int],
    given: dict[int, str],
    profiles: Sequence[Profile],
    facts: Sequence[Sequence[Fact]],
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the name of every segment, and what is to be said of the naming: kind and text.

    Places in `profiles` and `facts` are as in `numbers`; `given` are names by hand, by number.
    DataError if a rule, or the column of an order, is of a column that is not there.
    """
    ordered, told = _in_order(config, numbers, profiles)
    proposed = _proposed(numbers, facts, profiles) if config.propose else {}
    ruled = _by_rule(config.rules, numbers, profiles)
    # What stands further to the right wins.
    name_of = proposed | ordered | ruled | {NOISE: OUTLIERS} | given
    found = [name_of.get(number, f"Segment {number}") for number in numbers]
    return _unique(found, [number in given for number in numbers]), told


def _by_rule(
    rules: Mapping[str, str], numbers: Sequence[int], profiles: Sequence[Profile]
) -> dict[int, str]:
    found: dict[int, str] = {}
    for name, text in rules.items():
        key = f"segments.names.rules.{name}"
        rule = parse(text, key)
        for place, number in enumerate(numbers):
            if rule.holds(_Values(profiles, place, key)):
                found.setdefault(number, name)
    return found


def _in_order(
    config: NamesConfig, numbers: Sequence[int], profiles: Sequence[Profile]
) -> tuple[dict[int, str], list[tuple[str, str]]]:
    if not config.ordered:
        return {}, []
    about = _profile_named(str(config.by), profiles, "segments.names.by")
    mean, median = about.mean, about.quantiles.get("median", about.mean)
    places = [place for place, number in enumerate(numbers) if number != NOISE]
    if len(places) != len(config.ordered):
        told = (
            f"segments.names.ordered has {len(config.ordered)} names and there are {len(places)} "
            "segments: none of them is given"
        )
        return {}, [("names", told)]
    places.sort(key=lambda place: float(mean[place]))
    found = {numbers[place]: name for place, name in zip(places, config.ordered, strict=True)}
    if all(median[one] <= median[next_] for one, next_ in pairwise(places)):
        return found, []
    told = (
        f"segments.names.ordered is in the order of the means of {about.column.name}, and the "
        "medians are in another one: what the names say is true of the means only"
    )
    return found, [("names", told)]


def _proposed(
    numbers: Sequence[int], facts: Sequence[Sequence[Fact]], profiles: Sequence[Profile] = ()
) -> dict[int, str]:
    """Return names of one word or two from the strongest facts, where there are true ones."""
    # What was clustered by comes first, where it is plain.
    told = [sorted(filter(_names, own), key=lambda fact: not _plain(fact)) for own in facts]
    words = [list(dict.fromkeys(fact.word for fact in own)) for own in told]
    first = Counter(own[0] for own in words if own)
    names = [
        _joined(own, first) if own else word_without_facts(profiles, place)
        for place, own in enumerate(words)
    ]
    # Not a set, whose order is another in every process.
    for same in [name for name, count in Counter(names).items() if count > 1]:
        _tell_apart(names, same, told)
    return {number: name for number, name in zip(numbers, names, strict=True) if name}


def _joined(words: Sequence[str], first: Mapping[str, int]) -> str:
    """Return the first word where no other segment has it, with the second one where one has."""
    if len(words) == 1 or first[words[0]] == 1:
        return words[0]
    return f"{words[0]}, {_small(words[1])}"


def _names(fact: Fact) -> bool:
    return bool(fact.word) and not unfit(fact.word)


def _plain(fact: Fact) -> bool:
    return fact.clustered and abs(fact.effect) >= LARGE


def _tell_apart(names: list[str], same: str, facts: Sequence[Sequence[Fact]]) -> None:
    """Give those of one name others: the most of it to who has it, another word to the rest."""
    places = [place for place, name in enumerate(names) if name == same and facts[place]]
    places.sort(key=lambda place: -abs(facts[place][0].effect))
    for place in places:
        strongest = facts[place][0]
        others = [
            f"{strongest.word}, {_small(fact.word)}"
            for fact in facts[place][1:]
            if fact.word != strongest.word
        ]
        superlative = f"{strongest.most}{same.removeprefix(strongest.word)}"
        better = [superlative] if strongest.most else others
        names[place] = next((name for name in better if name not in names), same)


def _small(word: str) -> str:
    first = word.partition(" ")[0]
    return word[:1].lower() + word[1:] if first in _SMALL else word


def _unique(names: Sequence[str], fixed: Sequence[bool]) -> list[str]:
    """Return names with a number behind those that were there before; names by hand stay."""
    taken = {name.lower() for name, stays in zip(names, fixed, strict=True) if stays}
    found = []
    for name, stays in zip(names, fixed, strict=True):
        free, count = name, 1
        while not stays and free.lower() in taken:
            count += 1
            free = f"{name} {count}"
        taken.add(free.lower())
        found.append(free)
    return found


def check_names(given: Mapping[int, str], known: Mapping[int, str]) -> None:
    """Refuse names by hand that cannot stand, `known` being all names there are: DataError."""
    for number, name in given.items():
        if number not in known:
            raise DataError(
                f"there is no segment {number}. Segments: "
                f"{', '.join(f'{n} ({name})' for n, name in known.items()) or 'none'}"
            )
        if wrong := unfit(name):
            raise DataError(f"segment {number} cannot be called {name!r}: {wrong}")
        others = {**known, **given}
        del others[number]
        twin = next((n for n, other in others.items() if other.lower() == name.lower()), None)
        if twin is not None:
            raise DataError(f"segment {number} cannot be called {name!r}: segment {twin} is")
