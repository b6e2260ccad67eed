"""Inertia on the reduced against the full matrix: what k-means loses by fewer columns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

log = logging.getLogger("segrun.segments")

#: Steps that reduce the columns.
_REDUCTIONS = ("pca", "svd")
#: Values of the full matrix x clusters x starts of all the fits on it: about a minute of one core.
_MOST_WORK = 10_000_000_000


@dataclass(frozen=True)
class _Reduced:
    """The rows of a run before and after its reduction.

    Attributes
    ----------
    full, Z : CSR array or ndarray of shape (n_samples, n_features) and (n_samples, n_components)
        What goes into the reduction, and what comes out.
    """

    full: Any
    Z: NDArray[np.float64]

    @property
    def totals(self) -> tuple[float, float]:
        """Inertia of a single cluster, full and reduced."""
        one = np.zeros(len(self.Z), dtype=np.int64)
        return inertia(self.full, one), inertia(self.Z, one)


def inertia_rows(run: FinishedRun, shown: str) -> list[dict[str, Any]]:
    """Return how tight the clusters of every k-means point are, reduced and full.

    k-means is fitted with the point's own parameters, by the run's backend, on the full matrix:
    what goes into the reduction. Where all fits take too long, some are left out, last the one
    that is shown.

    Parameters
    ----------
    run : FinishedRun
        A run of ratings with at least one model.
    shown : str
        Slug of the point that is described.

    Returns
    -------
    list of dict
        One row per point; none where nothing was reduced, or the algorithm has no inertia.
        ``inertia_reduced`` is on the reduced matrix, ``inertia_reduced_in_full`` that of the same
        labels on the full one, ``inertia_full`` of k-means on the full one (None where that was
        left out); each beside its share of what a single cluster has.
    """
    done = [row for row in run.scores if row["status"] == "done" and row["inertia"]]
    kept = next((row["point"] for row in done if run.has_model(row["point"])), None)
    found = None if kept is None else _reduced(run, run.model(kept).steps[:-1])
    if found is None:
        return []
    experiment = from_plain(run.experiment)
    fits = _fits(experiment, found.full, shown)
    total_full, total_reduced = found.totals
    rows = []
    for row in done:
        reduced, labels = float(row["inertia"]), run.labels(row["point"])
        of_labels, full = inertia(found.full, labels), fits.get(row["point"])
        rows.append(
            {
                "point": row["point"],
                "n_clusters": int(row["n_clusters"]),
                "n_components": found.Z.shape[1],
                "n_features": found.full.shape[1],
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
    """Return the sum of squared distances of rows to the mean of their cluster, noise left out.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features)
        The rows.
    labels : ndarray of int64, shape (n_samples,)
        Their clusters, noise -1.
    """
    from scipy.sparse import csr_array

    inside = np.flatnonzero(labels >= 0)
    _, place = np.unique(labels[inside], return_inverse=True)
    X = csr_array(X)[inside]
    shape = (int(place.max(initial=-1)) + 1, len(inside))
    member = csr_array((np.ones(len(inside)), (place, np.arange(len(inside)))), shape=shape)
    sums = (member @ X).toarray()
    # A row's squares less those of its mean: nothing of the size of the full matrix is made.
    squares = float((X.data**2).sum())
    return squares - float((sums**2).sum(axis=1) @ (1 / np.bincount(place)))


def _reduced(run: FinishedRun, steps: Sequence[tuple[str, Any]]) -> _Reduced | None:
    full = X = run.customers.matrix()
    for name, step in steps:
        full, X = X, step.transform(X)
        if name in _REDUCTIONS:
            return _Reduced(full, np.ascontiguousarray(X))
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
