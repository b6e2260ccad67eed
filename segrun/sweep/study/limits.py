"""Limits: what a point must satisfy to be among the best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from segrun.errors import ConfigError
from segrun.sweep.study.score import check_score

#: ``min`` and ``max`` by score.
Limits = Mapping[str, Mapping[str, float | None]]

#: By how much a limit is missed where the score is unknown: more than any score can.
_UNKNOWN = 1e9
_KEY = "hydra.sweeper.limits"


def violations(scores: Mapping[str, float | None], limits: Limits) -> list[float]:
    """Return by how much each limit is missed; zero or less is within."""
    found = []
    for name, bounds in limits.items():
        value = scores.get(name)
        for side, bound in bounds.items():
            if bound is not None:
                missed = 0 if value is None else bound - value if side == "min" else value - bound
                found.append(_UNKNOWN if value is None else float(missed))
    return found


def check_limits(limits: Limits) -> None:
    """Refuse limits that make no sense.

    Raises
    ------
    ConfigError
        If one is of no score, has a bound that is no finite number, or leaves nothing within.
    """
    for name, bounds in limits.items():
        check_score(_KEY, name)
        _check_bounds(f"{_KEY}.{name}", bounds)


def _check_bounds(key: str, bounds: Any) -> None:
    if not isinstance(bounds, Mapping) or set(bounds) - {"min", "max"}:
        raise ConfigError(f"{key} is {bounds!r}: give {{min: NUMBER}}, {{max: NUMBER}} or both")
    for side, bound in bounds.items():
        number = isinstance(bound, int | float) and not isinstance(bound, bool)
        if bound is not None and not (number and math.isfinite(bound)):
            raise ConfigError(f"{key}.{side} is {bound!r}: give a finite number")
    low, high = bounds.get("min"), bounds.get("max")
    if low is not None and high is not None and low > high:
        raise ConfigError(f"{key} has min {low} above max {high}: nothing is within")
