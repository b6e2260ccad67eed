"""What only ratings have: the items that set users apart, and what a reduction of items loses."""

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
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns, filled
from segrun.segments.members import Members, membership, segment_means
from segrun.segments.profile import Column
from segrun.segments.segment import Segments

#: Items per segment that become columns of the profile.
_N_PROFILED = 3


def rated_columns(columns: SparseColumns, labels: NDArray[np.int64]) -> list[Column]:
    """Return who has rated the most distinctive items of each segment, ``Rated=TITLE``.

    A column per item, thousands of them, is no description.
    """
    weight = _weights(columns, labels, [int(n) for n in np.unique(labels) if n >= 0])
    top = np.argsort(-weight, axis=1, kind="stable")[:, :_N_PROFILED]
    chosen = sorted({int(item) for row, own in zip(weight, top, strict=True)
                     for item in own if row[item] > 0})  # fmt: skip
    titles, matrix = columns.catalogue.names(), columns.matrix.tocsc()
    found = []
    for item in chosen:
        rated = np.zeros(len(labels))
        rated[matrix.indices[matrix.indptr[item] : matrix.indptr[item + 1]]] = 1.0
        found.append(Column(f"Rated={titles[item]}", rated, clustered=True, category=True))
    return found


def column_titles(customers: Customers) -> Sequence[str]:
    """Return what to call the features: the titles of items, else their names."""
    columns = customers.columns
    if isinstance(columns, SparseColumns):
        return columns.catalogue.names()
    return customers.feature_names


def rating_tables(
    run: FinishedRun, members: Members, numbers: NDArray[np.int64], segments: Segments
) -> dict[str, list[dict[str, Any]]]:
    """Return the tables that only ratings have, by name."""
    if not isinstance(members.customers.columns, SparseColumns):
        return {}
    names = {s.number: s.name for s in segments.segments}
    return {
        "distinctive": distinctive(members.customers, numbers, names),
        "inertia": inertia_rows(run, segments.point),
    }


def distinctive(
    customers: Customers, numbers: NDArray[np.int64], names: Mapping[int, str], n_top: int = 20
) -> list[dict[str, Any]]:
    """Return the most distinctive items of every segment, the most distinctive first.

    Segments are the documents and items the terms. The frequency of an item in a segment is by
    how much the mean of its values over the segment's users exceeds that over all users, a value
    that is missing counting as 0; an item that does not exceed it is not in the document. So an
    item that everybody rates is nobody's. The rest is scikit-learn's ``TfidfTransformer``:
    ``tf * (ln((1 + n) / (1 + df)) + 1)`` with n segments, df of which have the item, and each
    segment's row divided by its Euclidean length.
    """
    columns = customers.columns
    assert isinstance(columns, SparseColumns)
    weight = _weights(columns, numbers, list(names))
    rated = columns.matrix.copy()
    rated.data = np.ones_like(rated.data)
    share = segment_means(numbers, list(names), rated)
    overall = np.bincount(rated.indices, minlength=len(columns)) / len(numbers)
    titles = columns.catalogue.names()
    rows = []
    for place, (number, name) in enumerate(names.items()):
        # Ties by share, then in the order of the items.
        order = np.lexsort((-share[place], -weight[place]))
        top = [item for item in order[:n_top] if weight[place, item] > 0]
        rows += [
            {
                "segment": number, "name": name, "rank": rank, "item": titles[item],
                "tf_idf": float(weight[place, item]), "share": float(share[place, item]),
                "overall_share": float(overall[item]),
            }
            for rank, item in enumerate(top, start=1)
        ]  # fmt: skip
    return rows


def _weights(
    columns: SparseColumns, numbers: NDArray[np.int64], segments: Sequence[int]
) -> NDArray[np.float64]:
    matrix = columns.matrix
    return tf_idf(segment_means(numbers, segments, matrix), matrix.mean(axis=0))


def tf_idf(mean: NDArray[np.float64], overall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of every item in every segment, shape (n_segments, n_items).

    `mean` has the mean value per segment, `overall` that of all users; see `distinctive`.
    """
    # Late: scikit-learn takes over a second to import.
    from sklearn.feature_extraction.text import TfidfTransformer

    excess = mean - overall
    # Sums of floats in another order differ in the last bits, which is no excess.
    excess[excess <= 1e-12 * np.abs(overall)] = 0.0
    found: NDArray[np.float64] = TfidfTransformer().fit_transform(excess).toarray()
    return found


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
