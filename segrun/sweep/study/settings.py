"""The settings of a study: where it is, what it optimises, who draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segrun.runner.keys import part_keys
from segrun.sweep.study.limits import Limits
from segrun.sweep.study.objective import Objective, objectives_of


@dataclass(frozen=True)
class Settings:
    """What makes a study.

    Attributes
    ----------
    storage : str
        A storage URL of Optuna.
    name : str
        The study's name in it.
    objectives : tuple of Objective
        At least one.
    limits : mapping
        ``min`` and ``max`` by score.
    sampler : {"tpe", "random", "grid", "nsgaii"}
        Who draws.
    sampler_params : mapping
        Parameters of Optuna's sampler of that name.
    seed : int
        A point depends on it, on the trial's number and on the trials told before.
    fixed : mapping
        Digests of what all trials have in common: scores of other data or settings are no match.
    """

    storage: str
    name: str
    objectives: tuple[Objective, ...]
    limits: Limits
    sampler: str
    sampler_params: Mapping[str, Any]
    seed: int
    fixed: Mapping[str, Any] = field(default_factory=dict)


def settings_of(study: Mapping[str, Any], directory: Path) -> Settings:
    """Return the settings of the study of a sweep.

    Parameters
    ----------
    study : mapping
        What the sweep's header says of it.
    directory : Path
        Of the sweep: where the study is kept unless a storage is named.

    Raises
    ------
    ConfigError
        If its objectives cannot be told from what is given.
    """
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


def _fixed(bases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return digests of what the trials of each base have in common."""
    found: dict[str, Any] = {}
    for base in bases:
        name = " ".join(base["choices"].values()) or "all"
        drawn = base["dimensions"]
        fixed = _without(base["config"], "", drawn)
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
