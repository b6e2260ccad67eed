"""Grid points, and fits of several at once.

A point is the fixed parameters together with one combination of the grid's values.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any

from numpy.typing import NDArray

from segrun.config import AlgoConfig
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean

#: Longest slug, in characters: leaves room for folder and ending within Windows' 260.
MAX_SLUG = 100

_UNSAFE = re.compile(r"[^a-z0-9_.,=+-]")
_PLAIN_WORD = re.compile(r"[a-z][a-z0-9_+-]*")
#: Words that YAML reads as something else, so that text and value would share a slug.
_RESERVED = {"null", "true", "false", "nan", "inf"}


@dataclass(frozen=True)
class Point:
    """One combination of the grid."""

    slug: str  # names the point's files: `n_clusters=30,tol=1e-05`
    params: dict[str, Any]  # all parameters, the point's values filled in
    axes: dict[str, Any]  # the values that distinguish the point, fixed axes included


def points(config: AlgoConfig) -> list[Point]:
    """Return every combination of the grid's values, the last axis changing fastest.

    An axis that has a value in `params` is fixed: it leaves the grid but stays in the slug.
    ConfigError if an axis has no values, or one twice, or is no parameter.
    """
    choices = [_choices(name, config) for name in config.grid]
    found = []
    for values in product(*choices):
        axes = dict(zip(config.grid, values, strict=True))
        found.append(Point(_slug(axes), {**config.params, **axes}, axes))
    return found


def _choices(name: str, config: AlgoConfig) -> list[Any]:
    if name not in config.params:
        options = list(config.params)
        raise ConfigError(
            f"algo.grid.{name} is an axis of the grid, but algo.params has no {name!r}."
            f"{did_you_mean(name, options)} Parameters: {', '.join(options) or 'none'}. "
            f"Add algo.params.{name}=null for a further axis"
        )
    fixed, values = config.params[name], config.grid[name]
    if fixed is not None:
        return [fixed]
    if not values:
        raise ConfigError(
            f"algo.grid.{name} has no values: give at least one, or fix algo.params.{name}"
        )
    for position, value in enumerate(values):
        if any(_same(value, earlier) for earlier in values[:position]):
            raise ConfigError(f"algo.grid.{name} has {value!r} twice: give each value once")
    return list(values)


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _slug(axes: dict[str, Any]) -> str:
    """Return a name that is unique and a legal file name on Linux and Windows.

    Where values cannot stand in it as they are, a hash of them does, after a tilde, which
    nothing else has.
    """
    if not axes:
        return "single"
    texts = [f"{name}={_text(value)}" for name, value in axes.items()]
    slug = ",".join(texts)
    plain = all(_is_plain(value) for value in axes.values())
    # Upper case counts as unsafe: Windows takes A and a for the same file.
    if plain and len(slug) <= MAX_SLUG and not _UNSAFE.search(slug):
        return slug
    exact = json.dumps(list(axes.items()), default=repr)
    digest = hashlib.sha256(exact.encode()).hexdigest()[:12]
    return f"{_UNSAFE.sub('_', slug)[: MAX_SLUG - 13]}~{digest}"


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return value if isinstance(value, str) else repr(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_PLAIN_WORD.fullmatch(value)) and value not in _RESERVED
    return value is None or isinstance(value, (bool, int, float))


def shares(model: Any) -> bool:
    """Return whether models of this class can be fitted at once."""
    return hasattr(model, "fit_together")


def fit_together(models: Sequence[Any], X: NDArray[Any]) -> Iterator[Any]:
    """Yield the models, fitted to X of shape (n_samples, n_features), in order.

    Those whose class has a ``fit_together`` share what can be shared.
    """
    for cls, group in groupby(models, type):
        at_once = getattr(cls, "fit_together", None)
        if at_once is not None:
            yield from at_once(list(group), X)
        else:
            for model in group:
                yield model.fit(X)
