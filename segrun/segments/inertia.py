"""Inertia on the reduced against the full matrix: what k-means loses by fewer columns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms import Point, points, resolve
from segrun.algorithms.backend import make_backend
from segrun.config import Experiment, from_plain
from segrun.formats import in_bytes
from segrun.memory import available_bytes
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import filled
from segrun.segments.members import membership

log = logging.getLogger("segrun.segments")

#: Steps that reduce the columns.
_REDUCTIONS = ("pca", "svd")
#: Values of the full matrix x clusters x starts of all the fits on it: about a minute of one core.
_MOST_WORK = 10_000_000_000


def inertia_rows(run: FinishedRun, shown: str) -> list[dict[str, Any]]:
    """Return how tight the clusters of every k-means point are, reduced and full: a row each.

    k-means is fitted with the point's own parameters, by the run's backend, on the full matrix:
    what goes into the reduction. Where all fits take too long, some are left out, last the one
    that is shown.
    """
    done = [row for row in run.scores if row["status"] == "done" and row["inertia"]]
    kept = next((row["point"] for row in done if run.has_model(row["point"])), None)
    found = None if kept is None else _reduced(run, run.model(kept).steps[:-1])
    if found is None:
        return []
    X, Z = found
    fits = _fits(from_plain(run.experiment), X, shown)
    together = np.zeros(len(Z), dtype=np.int64)
    total_full, total_reduced = inertia(X, together), inertia(Z, together)
    rows = []
    for row in done:
        reduced, labels = float(row["inertia"]), run.labels(row["point"])
        of_labels, full = inertia(X, labels), fits.get(row["point"])
        rows.append(
            {
                "point": row["point"],
                "n_clusters": int(row["n_clusters"]),
                "n_components": Z.shape[1],
                "n_features": X.shape[1],
                "inertia_reduced": reduced,
                "share_reduced": reduced / total_reduced,
                "inertia_reduced_in_full": of_labels,
                "share_reduced_in_full": of_labels / total_full,
                "inertia_full": full,
                "share_full": None if full is None else full / total_full,
            }
        )
    return rows


def inertia(X: Any, labels: NDArray[np.int64]) -> float:
    """Return the sum of squared distances of rows to the mean of their cluster, noise left out."""
    from scipy.sparse import csr_array

    inside = np.flatnonzero(labels >= 0)
    X, own = csr_array(X)[inside], labels[inside]
    member = membership(own, np.unique(own).tolist())
    sums = (member @ X).toarray()
    # A row's squares less those of its mean: nothing of the size of the full matrix is made.
    squares = float((X.data**2).sum())
    return squares - float((sums**2).sum(axis=1) @ (1 / member.sum(axis=1)))


def _reduced(
    run: FinishedRun, steps: Sequence[tuple[str, Any]]
) -> tuple[Any, NDArray[np.float64]] | None:
    """Return the rows of a run before and after its reduction, None where nothing was reduced."""
    full = X = run.customers.matrix()
    for name, step in steps:
        full, X = X, step.transform(X)
        if name in _REDUCTIONS:
            return full, np.ascontiguousarray(X)
    return None


def _fits(experiment: Experiment, X: Any, shown: str) -> dict[str, float]:
    """Return the inertia of points of the grid on X, by slug; of all where that is not too much."""
    grid = points(experiment.algo)
    chosen = _affordable(sorted(grid, key=lambda point: point.slug != shown), X)
    if len(chosen) < len(grid):
        log.warning(
            "k-means on the full matrix (%s with its zeros) is fitted for %d of %d points: "
            "inertia_full in segments/inertia.csv is empty for the others. Fewer items: "
            "features.min_item_ratings",
            in_bytes(8 * X.shape[0] * X.shape[1]), len(chosen), len(grid),
        )  # fmt: skip
    if not chosen:
        return {}
    algorithm, backend = resolve(experiment.algo, experiment.seed), make_backend(experiment.backend)
    full, found = filled(X), {}
    for point in chosen:
        fit = backend.fit(algorithm.make(backend, **point.params), full)
        found[point.slug] = float(getattr(fit.model, "inertia_", np.nan))
    return found


def _affordable(grid: Sequence[Point], X: Any) -> list[Point]:
    """Return the first points that time and memory allow to be fitted."""
    n_values = X.shape[0] * X.shape[1]
    if 2 * 8 * n_values > available_bytes():
        return []
    work = np.cumsum([n_values * _clusters(point.params) for point in grid])
    return list(grid[: int(np.searchsorted(work, _MOST_WORK, side="right"))])


def _clusters(params: Mapping[str, Any]) -> int:
    """Return the clusters of all starts of a fit."""
    n_init = params.get("n_init")
    return int(params.get("n_clusters") or 8) * (n_init if isinstance(n_init, int) else 1)
