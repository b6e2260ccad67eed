"""The optimiser's names of dimensions: no two dimensions of a space share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from segrun.algorithms.space.base import Base
from segrun.errors import ConfigError

_PARAMS = "algo.params."


def names_of(groups: Sequence[str], bases: Sequence[Base]) -> list[dict[str, str]]:
    """Return the names of each base's dimensions by full key.

    Parameters
    ----------
    groups : sequence of str
        What is chosen of.
    bases : sequence of Base
        One per combination of their options.

    Raises
    ------
    ConfigError
        If two dimensions of a base come to the same name.
    """
    found = []
    for base in bases:
        stems = {key: _stem(key, base.choices) for key in base.dimensions}
        names = {key: stem + _suffix(key, base, groups, bases) for key, stem in stems.items()}
        _check(groups, names)
        found.append(names)
    return found


def shown(choices: Mapping[str, str]) -> str:
    """Return choices in one word, such as ``algo=kmeans,features=rfm``."""
    return ",".join(f"{group}={option}" for group, option in choices.items())


def _stem(key: str, choices: Mapping[str, str]) -> str:
    if key.startswith(_PARAMS) and "algo" in choices:
        return f"{choices['algo']}.{key.removeprefix(_PARAMS)}"
    return key


def _suffix(key: str, base: Base, groups: Sequence[str], bases: Sequence[Base]) -> str:
    """Return what tells the dimension of a base from those of the same name in others."""
    stem = _stem(key, base.choices)
    others = [
        other for other in bases if key in other.dimensions and _stem(key, other.choices) == stem
    ]
    for size in range(len(groups) + 1):
        for some in combinations(groups, size):
            if _decided(key, others, some):
                options = shown({group: base.choices[group] for group in some})
                return f"[{options}]" if options else ""
    raise AssertionError("two bases have the same choices")


def _decided(key: str, bases: Sequence[Base], groups: Sequence[str]) -> bool:
    """Return whether the options of some groups decide what a key may become."""
    found: dict[tuple[str, ...], str] = {}
    for base in bases:
        options = tuple(base.choices[group] for group in groups)
        text = str(base.dimensions[key])
        if found.setdefault(options, text) != text:
            return False
    return True


def _check(groups: Sequence[str], names: Mapping[str, str]) -> None:
    seen = {group: group for group in groups}
    for key, name in names.items():
        if name in seen:
            raise ConfigError(
                f"{key} and {seen[name]} are both called {name!r}: give the algorithm another "
                "name, or search one of them"
            )
        seen[name] = key
