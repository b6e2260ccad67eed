"""Objectives: which scores are optimised, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.sweep.study.score import SCORES, check_score

DIRECTIONS = ("maximize", "minimize")
_KEY = "hydra.sweeper.objectives"


@dataclass(frozen=True)
class Objective:
    """A score to optimise, and ``maximize`` or ``minimize``."""

    name: str
    direction: str

    @property
    def worst(self) -> float | None:
        """Told where the score is undefined; None: there is no worst one."""
        score = SCORES[self.name]
        # No clusters are the fewest: whoever wants few of them is not told so.
        unlike = score.direction is None and self.direction == "minimize"
        return None if unlike else score.worst


def objectives_of(told: Any) -> tuple[Objective, ...]:
    """Return the objectives that ``hydra.sweeper.objectives`` tells.

    Raises
    ------
    ConfigError
        If it is neither null, a name, a list of names nor a mapping of names to directions.
    """
    if told is None:
        told = ["silhouette"]
    if isinstance(told, str):
        told = [told]
    if isinstance(told, list):
        # A name that is no score has no direction either; the study says so.
        told = {str(name): _direction(str(name)) for name in told}
    if not isinstance(told, dict) or not told:
        raise ConfigError(
            f"{_KEY}={told} names no score: write [silhouette] or {{silhouette: maximize}}"
        )
    return tuple(Objective(str(name), str(direction)) for name, direction in told.items())


def _direction(name: str) -> str:
    """Return the direction in which a score is better."""
    score = SCORES.get(name)
    if score is not None and score.direction is None:
        raise ConfigError(
            f"{_KEY}: {name} has no better direction of its own; write "
            f"{{{name}: minimize}} or {{{name}: maximize}}"
        )
    return score.direction if score is not None and score.direction else "maximize"


def check_objectives(objectives: Sequence[Objective]) -> None:
    """Refuse objectives that no study can have.

    Raises
    ------
    ConfigError
        If there is none, one is no score or there twice, or a direction is unknown or the worse.
    """
    if not objectives:
        raise ConfigError(f"{_KEY} is empty: give at least one, {{silhouette: maximize}}")
    for position, objective in enumerate(objectives):
        check_score(_KEY, objective.name)
        if objective.name in [earlier.name for earlier in objectives[:position]]:
            raise ConfigError(f"{_KEY} has {objective.name} twice: give each once")
        _check_direction(objective.name, objective.direction)


def _check_direction(name: str, direction: str) -> None:
    if direction not in DIRECTIONS:
        raise ConfigError(
            f"{_KEY}.{name} is {direction!r}.{did_you_mean(str(direction), DIRECTIONS)} "
            "It is maximize or minimize"
        )
    better = SCORES[name].direction
    if better not in (None, direction):
        raise ConfigError(
            f"{_KEY}.{name} is {direction}, but the worst of it would be found: {better} it"
        )
