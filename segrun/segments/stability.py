"""Stability: how much of the segments is found again in samples of the customers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun import interrupt
from segrun.algorithms import resolve
from segrun.algorithms.backend import Backend
from segrun.algorithms.base import Algorithm
from segrun.config import Experiment, StabilityConfig
from segrun.seeds import generator
from segrun.segments.clustering import Clustering
from segrun.segments.segment import NOISE

log = logging.getLogger("segrun.segments")

#: A segment that is found again with at most this Jaccard index has dissolved: Hennig (2007).
DISSOLVED = 0.5
#: Points of a grid are compared by few refits to small samples: the best is not close.
_GRID_REFITS, _GRID_ROWS = 5, 2_000
#: Where density counts, a thinner sample has other clusters.
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Stability:
    """How refits to samples compare with the segments; empty where there were none."""

    #: By label, of each refit: the largest Jaccard index of the segment and a cluster of the refit,
    #: both on the rows of the sample; refits whose sample has none of the segment do not count.
    jaccard: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    rand: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # adjusted Rand indices
    reason: str = ""  # why there are none

    def mean(self, label: int) -> float | None:
        """Return the mean Jaccard index of a segment, None where nothing is known."""
        found = self.jaccard.get(label)
        return float(found.mean()) if found is not None and len(found) else None

    def dissolves(self, label: int) -> bool:
        """Tell whether refits do not find a segment again."""
        mean = self.mean(label)
        return mean is not None and mean <= DISSOLVED


def stability(clustering: Clustering, config: StabilityConfig) -> Stability:
    """Return how refits of the same algorithm to samples of the rows compare with its labels.

    Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics and Data
    Analysis 52, 258-271; samples are drawn without replacement.
    """
    if not config.refits:
        return Stability(reason="segments.stability.refits=0")
    experiment, n_rows = clustering.experiment, len(clustering.labels)
    size = min(round(config.share * n_rows), config.max_rows)
    thin = size < _LEAST_SHARE * n_rows and "min_samples" in clustering.point.params
    if thin or size < 2:
        return Stability(
            reason=f"a sample of {size} of {n_rows} rows is too thin for {experiment.algo.name}"
        )
    algorithm, backend = _tools(experiment)
    rows_of = _samples(experiment.seed, "stability", n_rows, size, config.refits)
    jaccard: dict[int, list[float]] = {}
    rand: list[float] = []
    for rows in rows_of:
        found = _refit(algorithm, backend, clustering.point.params, clustering.Z[rows])
        if found is not None:
            own = clustering.labels[rows]
            rand.append(_adjusted_rand(own, found))
            for label, value in best_jaccard(own, found).items():
                jaccard.setdefault(label, []).append(value)
    if not rand:
        return Stability(reason=f"no fit to a sample of {size} rows came to labels")
    return Stability({label: np.array(v) for label, v in jaccard.items()}, np.array(rand))


def grid_stability(
    experiment: Experiment,
    Z: NDArray[np.float64],
    labels: Mapping[str, NDArray[np.int64]],
    params: Mapping[str, Mapping[str, Any]],
) -> dict[str, float]:
    """Return the mean adjusted Rand index of a few refits, for several points of a grid."""
    algorithm, backend = _tools(experiment)
    size = min(round(0.8 * len(Z)), _GRID_ROWS)
    found: dict[str, list[float]] = {slug: [] for slug in labels}
    for rows in _samples(experiment.seed, "grid_stability", len(Z), size, _GRID_REFITS):
        for slug, own in labels.items():
            refit = _refit(algorithm, backend, params[slug], Z[rows])
            if refit is not None:
                found[slug].append(_adjusted_rand(own[rows], refit))
    return {slug: float(np.mean(values)) for slug, values in found.items() if values}


def _tools(experiment: Experiment) -> tuple[Algorithm, Backend]:
    # Not required: a run can be described where its backend is not installed.
    return resolve(experiment.algo, experiment.seed), Backend(experiment.backend.name.value)


def _samples(
    seed: int, part: str, n_rows: int, size: int, n_samples: int
) -> Sequence[NDArray[np.int64]]:
    rng = generator(seed, part)
    return [np.sort(rng.choice(n_rows, size, replace=False)) for _ in range(n_samples)]


def _refit(
    algorithm: Algorithm, backend: Backend, params: Mapping[str, Any], Z: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    # A fit swallows it.
    interrupt.check()
    try:
        return backend.fit(algorithm.make(backend, **params), np.ascontiguousarray(Z)).labels
    except Exception as error:  # noqa: BLE001 - foreign code; a sample may be too small for it
        log.debug("a fit to a sample failed: %s", error)
        return None


def _adjusted_rand(own: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(own, other))


def best_jaccard(own: NDArray[np.int64], other: NDArray[np.int64]) -> dict[int, float]:
    """Return the largest Jaccard index of each cluster with any cluster of another clustering."""
    from sklearn.metrics.cluster import contingency_matrix

    common = contingency_matrix(own, other, sparse=True).tocsr()
    labels, others = np.unique(own), np.unique(other)
    n_own = np.asarray(common.sum(axis=1)).ravel()
    n_other = np.asarray(common.sum(axis=0)).ravel()
    rows, columns = common.nonzero()
    shared = np.asarray(common[rows, columns]).ravel().astype(np.float64)
    index = shared / (n_own[rows] + n_other[columns] - shared)
    index[others[columns] == NOISE] = 0.0
    best = np.zeros(len(labels))
    np.maximum.at(best, rows, index)
    return {
        int(label): float(value)
        for label, value in zip(labels, best, strict=True)
        if label != NOISE
    }


def stability_rows(
    found: Stability, labels: Sequence[int], numbers: Sequence[int], names: Sequence[str]
) -> list[dict[str, object]]:
    """Return the rows of ``stability.csv``: all segments together first, then each."""
    if not len(found.rand):
        return []
    rows: list[dict[str, object]] = [
        {
            "segment": None, "name": None, "jaccard_mean": None, "jaccard_min": None,
            "dissolved_share": None, "n_refits": len(found.rand),
            "ari_mean": float(found.rand.mean()), "ari_deviation": float(found.rand.std()),
        }
    ]  # fmt: skip
    for label, number, name in zip(labels, numbers, names, strict=True):
        own = found.jaccard.get(label)
        if own is None:
            continue
        rows.append(
            {
                "segment": number,
                "name": name,
                "jaccard_mean": float(own.mean()),
                "jaccard_min": float(own.min()),
                "dissolved_share": float((own <= DISSOLVED).mean()),
                "n_refits": len(own),
            }
        )
    return rows
