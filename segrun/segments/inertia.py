"""Inertia on the reduced against the full matrix: what k-means loses by fewer columns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms import points, resolve
from segrun.backend import Backend, make_backend
from segrun.config import Experiment, from_plain
from segrun.finished import FinishedRun
from segrun.preflight.memory import available_bytes

log = logging.getLogger("segrun.segments")

#: Steps that reduce the columns.
_REDUCTIONS = ("pca", "svd")
#: Share of the memory left that the full matrix may take, and the fit's copy of it.
_SHARE = 0.4


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


def inertia_rows(run: FinishedRun) -> list[dict[str, Any]]:
    """Return how tight the clusters of every k-means point are, reduced and full.

    k-means is fitted with the point's own parameters, by the run's backend, on the full matrix:
    what goes into the reduction.

    Parameters
    ----------
    run : FinishedRun
        A run of ratings with at least one model.

    Returns
    -------
    list of dict
        One row per point; none where nothing was reduced, or the algorithm has no inertia.
        ``inertia_reduced`` is on the reduced matrix, ``inertia_reduced_in_full`` that of the same
        labels on the full one, ``inertia_full`` of k-means on the full one; each beside its share
        of what a single cluster has.
    """
    done = [row for row in run.scores if row["status"] == "done" and row["inertia"]]
    kept = next((row["point"] for row in done if run.has_model(row["point"])), None)
    found = None if kept is None else _reduced(run, run.model(kept).steps[:-1])
    if found is None:
        return []
    experiment = from_plain(run.experiment)
    fits = _fits(experiment, _full(found.full))
    total_full, total_reduced = found.totals
    rows = []
    for row in done:
        reduced, labels = float(row["inertia"]), run.labels(row["point"])
        of_labels, full = inertia(found.full, labels), fits[row["point"]]
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
                "share_full": full / total_full,
            }
        )
    log.info("%s", sentence(rows))
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


def sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the rows say of the point with the most clusters."""
    most = max(rows, key=lambda row: int(row["n_clusters"]))
    return (
        f"{most['n_clusters']} clusters leave {float(most['share_reduced_in_full']):.1%} of the "
        f"inertia of all {most['n_features']} columns if found on {most['n_components']} "
        f"components, {float(most['share_full']):.1%} if found on all columns"
    )


def _reduced(run: FinishedRun, steps: Sequence[tuple[str, Any]]) -> _Reduced | None:
    full = X = run.customers.matrix()
    for name, step in steps:
        full, X = X, step.transform(X)
        if name in _REDUCTIONS:
            return _Reduced(full, np.ascontiguousarray(X))
    return None


def _full(X: Any) -> Any:
    """Return the matrix with its zeros, which is faster to fit, where the memory is there."""
    n_samples, n_features = X.shape
    fits = 2 * 8 * n_samples * n_features <= _SHARE * available_bytes()
    return X.toarray() if fits and not isinstance(X, np.ndarray) else X


def _fits(experiment: Experiment, X: Any) -> dict[str, float]:
    """Return the inertia of every point of the grid on X, by slug."""
    algorithm = resolve(experiment.algo, experiment.seed)
    sparse = not isinstance(X, np.ndarray)
    # oneDAL and the kernels take no zeros for granted.
    backend = Backend("sklearn") if sparse else make_backend(experiment.backend)
    found = {}
    for point in points(experiment.algo):
        estimator: Any = algorithm.make(backend, **point.params)
        model = estimator.fit(X) if sparse else backend.fit(estimator, X).model
        found[point.slug] = float(getattr(model, "inertia_", np.nan))
    return found
