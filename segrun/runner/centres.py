"""Starting centres that all backends have in common, so that they take the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.grid import Point
from segrun.config import AlgoConfig
from segrun.errors import ConfigError


def check(config: AlgoConfig) -> None:
    """Refuse ``algo.shared_centres`` where there is nothing to share."""
    if not config.shared_centres:
        return
    missing = [name for name in ("n_clusters", "init") if name not in config.params]
    if missing:
        raise ConfigError(
            f"algo.shared_centres=true, but {config.name} has no parameter "
            f"{' and no parameter '.join(missing)}: leave it out, or choose kmeans or "
            "minibatch_kmeans"
        )
    if "init" in config.grid or not isinstance(config.params["init"], str):
        raise ConfigError(
            "algo.shared_centres=true draws algo.params.init, which is given already: leave one "
            "of the two out"
        )
    if config.params["init"] != "k-means++":
        raise ConfigError(
            "algo.shared_centres=true draws by k-means++, but algo.params.init="
            f"{config.params['init']}: leave one of the two out"
        )


def shared(
    points: Sequence[Point], X: NDArray[np.float64], seed: int
) -> tuple[list[Point], dict[str, str]]:
    """Return the points with the starting centres that they share, and the centres' digests.

    Points that differ in other parameters than ``n_clusters`` begin at the same centres.
    """
    numbers = dict.fromkeys(int(point.params["n_clusters"]) for point in points)
    # More clusters than rows are for the estimator to refuse, at its own point.
    drawn = {number: _draw(X, number, seed) for number in numbers if number <= len(X)}
    started = [_started(point, drawn.get(int(point.params["n_clusters"]))) for point in points]
    return started, {str(number): digest(centres) for number, centres in drawn.items()}


def _draw(X: NDArray[np.float64], n_clusters: int, seed: int) -> NDArray[np.float64]:
    # Late: scikit-learn takes over a second to import.
    from sklearn.cluster import kmeans_plusplus

    centres, _ = kmeans_plusplus(X, n_clusters, random_state=seed)
    return np.ascontiguousarray(centres, dtype=np.float64)


def _started(point: Point, centres: NDArray[np.float64] | None) -> Point:
    if centres is None:
        return point
    params: dict[str, Any] = {**point.params, "init": centres}
    # Another start from the same centres would be the same fit again.
    return replace(point, params={**params, "n_init": 1} if "n_init" in params else params)


def digest(centres: NDArray[np.float64]) -> str:
    """Return the sha256 of an array's bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(centres).tobytes()).hexdigest()
