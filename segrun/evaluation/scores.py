"""Scores of all points of a grid together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from sklearn.metrics import pairwise_distances_chunked
from threadpoolctl import ThreadpoolController

from segrun.config import EvaluationConfig, SilhouetteConfig
from segrun.evaluation.partition import Partition, partition
from segrun.evaluation.silhouette import (
    Estimate,
    cluster_estimates,
    estimate,
    scored_rows,
    silhouettes,
)

#: What the scores of one row from centroids cost, in distances of the silhouette (measured).
CENTROID_WORK = 70


@dataclass(frozen=True)
class Scores:
    """Scores of one point.

    Attributes
    ----------
    n_clusters : int
        Number of clusters, without noise.
    n_noise : int
        Rows in no cluster.
    noise_share, smallest_share, largest_share : float
        Noise, smallest and largest cluster as shares of all rows, 0 to 1. None without cluster.
    sizes : dict of int to int
        Rows per label, without noise.
    silhouette : float or None
        Mean silhouette of the rows that are in a cluster, -1 to 1; None where undefined.
    silhouette_se : float or None
        Its standard error from sampling, 0 where every row was scored; None where unknown.
    silhouette_rows : int or None
        Number of rows scored, each against all rows.
    davies_bouldin : float or None
        0 or more, smaller is better.
    calinski_harabasz : float or None
        0 or more, larger is better.
    reason : str
        Why scores are missing; empty if none is.
    cluster_silhouettes : dict of int to Estimate
        Per label the mean silhouette of its rows, its standard error and the rows scored, as
        above; empty where undefined.
    converged : bool or None
        Whether the fit did; None where nothing tells. Known to who has fitted it, not from labels.
    """

    n_clusters: int
    n_noise: int
    noise_share: float
    smallest_share: float | None
    largest_share: float | None
    sizes: dict[int, int]
    silhouette: float | None = None
    silhouette_se: float | None = None
    silhouette_rows: int | None = None
    davies_bouldin: float | None = None
    calinski_harabasz: float | None = None
    reason: str = ""
    cluster_silhouettes: dict[int, Estimate] = field(default_factory=dict)
    converged: bool | None = None


def evaluate(
    X: NDArray[np.float64],
    labels: Mapping[str, NDArray[Any]],
    config: EvaluationConfig,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
) -> dict[str, Scores]:
    """Score all points of a grid; one pass over the distances serves them all.

    Parameters
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
        The transformed features that the points clustered.
    labels : mapping of str to ndarray of int, shape (n_samples,)
        Labels per point; negative is noise.
    config : EvaluationConfig
        When the silhouette is exact and when sampled.
    seed : int
        The experiment's seed; the sample is the same for every point and every grid.
    on_progress : callable, optional
        Called with the fraction done, 0 to 1, from the working threads, one call at a time.

    Returns
    -------
    dict of str to Scores
        Scores per point, in the order of `labels`; None with a reason where undefined.
    """
    X = np.ascontiguousarray(X, np.float64)
    of_point, distinct = _distinct(labels, len(X))
    found = [_shape(part, len(X)) for part in distinct]
    defined = [index for index, scores in enumerate(found) if not scores.reason]
    if defined and on_progress is not None:
        on_progress(0.0)
    scored = _score(X, [distinct[i] for i in defined], config.silhouette, seed, on_progress)
    for index, values in zip(defined, scored, strict=True):
        found[index] = replace(found[index], **values)
    if on_progress is not None:
        on_progress(1.0)
    return {point: found[index] for point, index in of_point.items()}


def _distinct(
    labels: Mapping[str, NDArray[Any]], n_samples: int
) -> tuple[dict[str, int], list[Partition]]:
    """Return the label sets that differ, and which of them each point has."""
    of_point: dict[str, int] = {}
    known: dict[bytes, int] = {}
    distinct: list[Partition] = []
    for point, values in labels.items():
        if len(values) != n_samples:
            raise ValueError(f"{point} has {len(values)} labels for {n_samples} rows")
        part = partition(values)
        digest = blake2b(part.codes.tobytes() + part.labels.tobytes()).digest()
        of_point[point] = known.setdefault(digest, len(distinct))
        if of_point[point] == len(distinct):
            distinct.append(part)
    return of_point, distinct


def _shape(part: Partition, n_samples: int) -> Scores:
    """Return sizes and shares, and the reason where the clusters cannot be scored."""
    n_noise = n_samples - part.n_clustered
    return Scores(
        n_clusters=part.n_clusters,
        n_noise=n_noise,
        noise_share=n_noise / n_samples,
        smallest_share=int(part.counts.min()) / n_samples if part.n_clusters else None,
        largest_share=int(part.counts.max()) / n_samples if part.n_clusters else None,
        sizes=dict(zip(part.labels.tolist(), part.counts.tolist(), strict=True)),
        reason=_undefined(part),
    )


def _undefined(part: Partition) -> str:
    """Say why no score is defined, as scikit-learn has it: 2 <= clusters < clustered rows."""
    if part.n_clusters == 0:
        return "every row is noise"
    if part.n_clusters == 1:
        return "only one cluster: scores compare at least two"
    if part.n_clusters == part.n_clustered:
        return "every cluster is a single row"
    return ""


def _score(
    X: NDArray[np.float64],
    partitions: list[Partition],
    config: SilhouetteConfig,
    seed: int,
    on_progress: Callable[[float], None] | None,
) -> list[dict[str, Any]]:
    """Return the fields of `Scores` that need distances, for each partition."""
    if not partitions:
        return []
    rows = scored_rows(len(X), config, seed)
    centroid_work = CENTROID_WORK * len(X)
    advance = _progress(len(rows) * len(X) + centroid_work * len(partitions), on_progress)

    def score(part: Partition) -> tuple[float, float]:
        found = centroid_scores(X, part)
        advance(centroid_work)
        return found

    blas = ThreadpoolController().select(user_api="blas")
    # As many threads as the linear algebra was given; each then multiplies on its own.
    threads = max((pool["num_threads"] for pool in blas.info()), default=1)
    with blas.limit(limits=1):
        values = silhouettes(
            X,
            partitions,
            rows,
            threads=threads,
            advance=lambda n_rows: advance(n_rows * len(X)),
        )
        with ThreadPoolExecutor(threads) as pool:
            centroid = list(pool.map(score, partitions))
    return [
        _fields(part, silhouette, rows) | {"davies_bouldin": db, "calinski_harabasz": ch}
        for part, silhouette, (db, ch) in zip(partitions, values, centroid, strict=True)
    ]


def _progress(total: float, report: Callable[[float], None] | None) -> Callable[[float], None]:
    """Return what adds up work done by several threads and reports the fraction, one at a time."""
    lock, done = Lock(), 0.0

    def advance(work: float) -> None:
        nonlocal done
        if report is None:
            return
        with lock:
            done += work
            report(min(1.0, done / total))

    return advance


def _fields(
    part: Partition, values: NDArray[np.float64], rows: NDArray[np.int64]
) -> dict[str, Any]:
    mean = estimate(values, part.n_clustered)
    of_clusters = cluster_estimates(values, part.codes[rows], part.counts)
    return {
        "silhouette": mean.mean,
        "silhouette_se": mean.standard_error,
        "silhouette_rows": mean.n_rows,
        "reason": "" if mean.n_rows else "no sampled row is in a cluster",
        "cluster_silhouettes": dict(zip(part.labels.tolist(), of_clusters, strict=True)),
    }


#: Rows whose distance to the centroid is computed at once; they stay in the cache.
BLOCK_ROWS = 4096
#: Mebibytes for distances between centroids.
CENTROID_MEBIBYTES = 32


def centroid_scores(X: NDArray[np.float64], partition: Partition) -> tuple[float, float]:
    """Return the Davies-Bouldin and the Calinski-Harabasz score.

    Davies and Bouldin (1979), IEEE Transactions on Pattern Analysis and Machine Intelligence 1(2),
    224-227; Calinski and Harabasz (1974), Communications in Statistics 3, 1-27.
    """
    centroids = _sums(X, partition) / partition.counts[:, None]
    squares, spread = _dispersion(X, partition, centroids)
    return _davies_bouldin(centroids, spread), _calinski_harabasz(centroids, partition, squares)


def _sums(X: NDArray[np.float64], partition: Partition) -> NDArray[Any]:
    """Return the sum of the rows of every cluster, shape (n_clusters, n_features)."""
    inside = partition.codes >= 0
    ends = np.append(0, np.cumsum(inside))
    codes = partition.codes[inside]
    # By columns, which are rows of X: these are read in order, and the sums stay in the cache.
    members = csc_array((np.ones(len(codes)), codes, ends), shape=(partition.n_clusters, len(X)))
    sums: NDArray[Any] = members @ X
    return sums


def _dispersion(
    X: NDArray[np.float64], partition: Partition, centroids: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the summed squared distance to centroids, and the mean distance per cluster."""
    squares = 0.0
    totals = np.zeros(partition.n_clusters)
    for start in range(0, len(X), BLOCK_ROWS):
        rows, codes = X[start : start + BLOCK_ROWS], partition.codes[start : start + BLOCK_ROWS]
        inside = codes >= 0
        if not inside.all():
            rows, codes = rows[inside], codes[inside]
        difference = rows - centroids[codes]
        square = np.einsum("ij,ij->i", difference, difference)
        squares += float(square.sum())
        np.add.at(totals, codes, np.sqrt(square))
    return squares, totals / partition.counts


def _davies_bouldin(centroids: NDArray[np.float64], spread: NDArray[np.float64]) -> float:
    """Average, over clusters, the likeness to the most similar other cluster."""

    def worst(distance: NDArray[np.float64], start: int) -> NDArray[np.float64]:
        # As in scikit-learn, clusters at the same place (and a cluster and itself) do not count.
        distance[distance == 0] = np.inf
        own = spread[start : start + len(distance), None]
        likeness: NDArray[np.float64] = ((own + spread) / distance).max(axis=1)
        return likeness

    chunks = pairwise_distances_chunked(
        centroids, reduce_func=worst, working_memory=CENTROID_MEBIBYTES
    )
    return float(np.concatenate(list(chunks)).mean())


def _calinski_harabasz(
    centroids: NDArray[np.float64], partition: Partition, squares: float
) -> float:
    """Compare the dispersion between clusters with that within them, per degree of freedom."""
    n_clusters, n_clustered = partition.n_clusters, partition.n_clustered
    counts = partition.counts
    if squares == 0:
        return 1.0  # scikit-learn's value where every row is at its centroid
    center = counts @ centroids / n_clustered
    between = float(counts @ ((centroids - center) ** 2).sum(axis=1))
    return between / squares * (n_clustered - n_clusters) / (n_clusters - 1)
