"""The settings of a study: where it is, what it optimises within which limits, who draws."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segrun.algorithms.space.space import Space
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.runner.keys import part_keys

_DIRECTIONS = ("maximize", "minimize")
#: By how much a limit is missed where the score is unknown: more than any score can.
_UNKNOWN = 1e9

#: ``min`` and ``max`` by score.
ScoreLimits = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class Score:
    """What is known of a score that can be an objective or have limits.

    `direction` is the better one, None where either may be wanted. `worst` is told where a result
    is degenerate (one cluster, all noise) and has no such score; without one the trial fails.
    """

    direction: str | None
    worst: float | None


SCORES: Mapping[str, Score] = {
    "silhouette": Score("maximize", -1.0),
    "davies_bouldin": Score("minimize", math.inf),
    "calinski_harabasz": Score("maximize", 0.0),
    "coverage": Score("maximize", 0.0),
    "noise_share": Score("minimize", 1.0),
    "smallest_share": Score("maximize", 0.0),
    "largest_share": Score("minimize", 1.0),
    "n_clusters": Score(None, 0.0),
    "converged": Score("maximize", 0.0),
    "fit_seconds": Score("minimize", None),
    "wall_seconds": Score("minimize", None),
    "inertia": Score("minimize", None),
}


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


@dataclass(frozen=True)
class Settings:
    """What makes a study.

    `fixed` has digests of what all trials have in common: scores of other data or settings cannot
    be compared with theirs.
    """

    storage: str
    name: str
    objectives: tuple[Objective, ...]
    limits: ScoreLimits
    sampler: str
    sampler_params: Mapping[str, Any]
    seed: int
    fixed: Mapping[str, Any] = field(default_factory=dict)


def settings_of(study: Mapping[str, Any], directory: Path) -> Settings:
    """Return the settings of the study of a sweep, from what the sweep's header says of it."""
    sweeper, limits = study["sweeper"], study["sweeper"]["limits"]
    if limits is None:
        # Sweeps of before limited the noise only.
        limits = study.get("limits") or {"noise_share": {"max": study["max_noise_share"]}}
    elif "converged" in study.get("limits", {}):
        # Who limits something else does not allow it by that.
        limits = {"converged": study["limits"]["converged"], **limits}
    return Settings(
        storage=sweeper["storage"] or f"sqlite:///{directory / 'study.db'}",
        name=sweeper["study_name"],
        objectives=objectives_of(sweeper["objectives"]),
        limits=limits,
        sampler=sweeper["sampler"],
        sampler_params=sweeper["sampler_params"] or {},
        seed=study["seed"],
        fixed=_fixed(study["bases"]),
    )


def _fixed(bases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in bases:
        name = " ".join(base["choices"].values()) or "all"
        fixed = _without(base["config"], "", base["dimensions"])
        found[name] = part_keys(fixed, base["input_sha256"], base["versions"])
    return found


def _without(values: Any, prefix: str, drawn: Mapping[str, Any]) -> Any:
    """Return values without those that are drawn."""
    if not isinstance(values, dict):
        return values
    return {
        name: _without(inner, f"{prefix}{name}.", drawn)
        for name, inner in values.items()
        if f"{prefix}{name}" not in drawn
    }


def limits_of(evaluation: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the limits of `evaluation` as those of a study; what limits nothing is left out."""
    found: dict[str, dict[str, float]] = {"noise_share": {"max": evaluation["max_noise_share"]}}
    if evaluation["min_share"] > 0:
        found["smallest_share"] = {"min": evaluation["min_share"]}
    if evaluation["max_share"] < 1:
        found["largest_share"] = {"max": evaluation["max_share"]}
    for bound in ("min", "max"):
        if evaluation[f"{bound}_clusters"] is not None:
            found.setdefault("n_clusters", {})[bound] = evaluation[f"{bound}_clusters"]
    if not evaluation["allow_unconverged"]:
        found["converged"] = {"min": 1}
    return found


def objectives_of(told: Any) -> tuple[Objective, ...]:
    """Return the objectives of ``hydra.sweeper.objectives``: null, names, or their directions."""
    if told is None:
        told = ["silhouette"]
    if isinstance(told, str):
        told = [told]
    if isinstance(told, list):
        told = {name: _direction(str(name)) for name in told}
    if not isinstance(told, dict) or not told:
        raise ConfigError(
            f"hydra.sweeper.objectives={told} names no score: write [silhouette] or "
            "{silhouette: maximize}"
        )
    return tuple(Objective(str(name), str(direction)) for name, direction in told.items())


def _direction(name: str) -> str:
    # What is no score is refused when the study is opened.
    found = SCORES[name].direction if name in SCORES else "maximize"
    if found is None:
        raise ConfigError(
            f"hydra.sweeper.objectives: {name} has no better direction of its own; write "
            f"{{{name}: minimize}} or {{{name}: maximize}}"
        )
    return found


def check_settings(settings: Settings) -> None:
    """Refuse objectives and limits that are of no score or make no sense."""
    for objective in settings.objectives:
        _check_score("hydra.sweeper.objectives", objective.name)
        _check_direction(objective.name, objective.direction)
    for name, bounds in settings.limits.items():
        _check_score("hydra.sweeper.limits", name)
        _check_bounds(f"hydra.sweeper.limits.{name}", bounds)


def _check_score(key: str, name: str) -> None:
    if name not in SCORES:
        raise ConfigError(
            f"{key} has {name!r}, which is no score.{did_you_mean(name, SCORES)} "
            f"Scores: {', '.join(SCORES)}"
        )


def _check_direction(name: str, direction: str) -> None:
    key = f"hydra.sweeper.objectives.{name}"
    if direction not in _DIRECTIONS:
        raise ConfigError(
            f"{key} is {direction!r}.{did_you_mean(direction, _DIRECTIONS)} "
            "It is maximize or minimize"
        )
    better = SCORES[name].direction
    if better not in (None, direction):
        raise ConfigError(f"{key} is {direction}, but the worst of it would be found: {better} it")


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


def violations(scores: Mapping[str, float | None], limits: ScoreLimits) -> list[float]:
    """Return by how much each limit is missed; zero or less is within."""
    found = []
    for name, bounds in limits.items():
        value = scores.get(name)
        for side, bound in bounds.items():
            if bound is not None:
                missed = 0 if value is None else bound - value if side == "min" else value - bound
                found.append(_UNKNOWN if value is None else float(missed))
    return found


def purpose(settings: Settings, space: Space) -> dict[str, Any]:
    """Return what a study is for: whoever goes on with it must want the same."""
    about = {
        "space": space.signature(),
        "fixed": dict(settings.fixed),
        "objectives": [[goal.name, goal.direction] for goal in settings.objectives],
        "limits": {name: dict(bounds) for name, bounds in settings.limits.items()},
        # A grid counts its points by the trials, so no other sampler may have drawn some.
        "sampler": "grid" if settings.sampler == "grid" else "tpe, random or nsgaii",
    }
    # As it comes back from the storage.
    return dict(json.loads(json.dumps(about)))


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in which way two purposes differ, the first three differences in full."""
    same_space = before.get("space") == now["space"]
    what = "has other settings" if same_space else "searches another space"
    found = list(_differences("", before, now))
    rest = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{what}: {'; '.join(found[:3])}{rest}"


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    """Yield what differs, the dimensions before the bases that have them."""
    if before == now:
        return
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        yield f"{key} is {_text(before)} there and {_text(now)} here"
        return
    for name in dict.fromkeys([*now, *before]):
        # Names of dimensions speak for themselves.
        inner = name if key in ("", "space", "space.dimensions") else f"{key}.{name}"
        yield from _differences(inner, before.get(name), now.get(name))


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
