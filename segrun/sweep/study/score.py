"""Scores that can be an objective or have limits, and what is known of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from segrun.errors import ConfigError
from segrun.nearest import did_you_mean


@dataclass(frozen=True)
class Score:
    """What is known of a score.

    Attributes
    ----------
    direction : {"maximize", "minimize"} or None
        The direction in which it is better; None: either may be wanted.
    worst : float or None
        Told where a result is degenerate (one cluster, all noise) and has no such score, so
        that the optimiser learns to stay away; None: such a trial fails.
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


def check_score(key: str, name: str) -> None:
    """Refuse what is no score.

    Parameters
    ----------
    key : str
        The setting that has it.
    name : str
        Of the score.

    Raises
    ------
    ConfigError
        With the scores that there are.
    """
    if name not in SCORES:
        raise ConfigError(
            f"{key} has {name!r}, which is no score.{did_you_mean(name, SCORES)} "
            f"Scores: {', '.join(SCORES)}"
        )
