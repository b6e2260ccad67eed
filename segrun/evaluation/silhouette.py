"""Silhouettes of many label sets from one pass over the distances.

The silhouette of a row is ``(b - a) / max(a, b)`` with `a` its mean distance to the other rows of
its cluster and `b` its mean distance to the rows of the nearest other cluster (Rousseeuw, 1987,
Journal of Computational and Applied Mathematics 20, 53-65). Every distance serves all label sets:
see `JointGroups`. Many rows are sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import SilhouetteConfig
from segrun.evaluation.distances import compiled_sums, fits, product_sums
from segrun.evaluation.partition import Partition, joint_groups
from segrun.seeds import generator

#: From how many distances on the kernel is compiled or loaded. It takes about 1.1 ns for each
#: where products take 3.3 (21 features, one core), but 0.4 s to be there: products of 4,256 rows
#: are done in 0.1 s, whole.
COMPILED_DISTANCES = 300_000_000


def silhouettes(
    X: NDArray[np.float64],
    partitions: Sequence[Partition],
    rows: NDArray[np.int64],
    *,
    threads: int,
    advance: Callable[[float], None],
) -> NDArray[np.float64]:
    """Score `rows` against all rows of `X`, in every label set.

    Values are right to 1e-6 and do not depend on `threads`. A row whose `a` and `b` are both zero
    but for rounding (copies of one row in two clusters) scores 0, as in exact arithmetic.
    """
    values = np.full((len(partitions), len(rows)), np.nan)
    codes = np.stack([part.codes[rows] for part in partitions])
    scored = np.flatnonzero(np.any(codes >= 0, axis=0))
    codes = codes[:, scored]
    groups = joint_groups(partitions)
    # Neither threads nor the label sets of the moment decide, so that values stay as they are.
    many = len(rows) * len(X) >= COMPILED_DISTANCES and fits(groups)
    sums = (compiled_sums if many else product_sums)(X, groups, rows[scored])
    counts = [part.counts for part in partitions]

    def run(block: slice) -> None:
        totals = np.split(sums.of(block), groups.offsets[1:-1])
        resolution = sums.resolution[block]
        for index, (total, count) in enumerate(zip(totals, counts, strict=True)):
            values[index, scored[block]] = _scores(total, codes[index, block], count, resolution)
        advance(block.stop - block.start)

    blocks = [
        slice(start, min(start + sums.height, len(scored)))
        for start in range(0, len(scored), sums.height)
    ]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, blocks):
            pass
    advance(len(rows) - len(scored))
    return values


def _scores(
    totals: NDArray[np.float64],
    codes: NDArray[np.int32],
    counts: NDArray[np.int64],
    resolution: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Turn summed distances per cluster into silhouettes; `totals` is used up."""
    values = np.full(len(codes), np.nan)
    inside = np.flatnonzero(codes >= 0)
    own = codes[inside]
    a = totals[own, inside] / np.maximum(counts[own] - 1, 1)
    totals /= counts[:, None]
    totals[own, inside] = np.inf
    b = totals.min(axis=0)[inside]
    larger = np.maximum(a, b)
    known = (counts[own] > 1) & (larger > resolution[inside])
    values[inside] = np.divide(b - a, larger, out=np.zeros(len(own)), where=known)
    return values


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error."""

    mean: float | None  # None where no row was scored
    standard_error: float | None  # None where a single row of several was scored
    n_rows: int  # Rows scored


def scored_rows(n_samples: int, config: SilhouetteConfig, seed: int) -> NDArray[np.int64]:
    """Return the rows whose silhouette is computed: all, or a sample without replacement."""
    if n_samples <= max(config.max_exact_rows, config.sample_rows):
        return np.arange(n_samples)
    rng = generator(seed, "silhouette")
    return np.sort(rng.choice(n_samples, config.sample_rows, replace=False))


def estimate(values: NDArray[np.float64], population: int) -> Estimate:
    """Estimate the mean over `population` rows from a sample drawn without replacement.

    The standard error is ``sd / sqrt(m) * sqrt(1 - m / population)`` for m sampled rows (Cochran,
    1977, Sampling Techniques, section 2.5): 0 where the sample is everything.
    """
    values = values[~np.isnan(values)]
    n_rows = len(values)
    if n_rows == 0:
        return Estimate(None, None, 0)
    mean = float(values.mean())
    if n_rows == population:
        return Estimate(mean, 0.0, n_rows)
    if n_rows == 1:
        return Estimate(mean, None, 1)
    deviation = float(values.std(ddof=1))
    return Estimate(mean, deviation * ((1 - n_rows / population) / n_rows) ** 0.5, n_rows)


def cluster_estimates(
    values: NDArray[np.float64], codes: NDArray[Any], counts: NDArray[np.int64]
) -> list[Estimate]:
    """Estimate the mean within every cluster; see `estimate`.

    Rows are drawn from all clusters together, so how many come from a cluster is chance; given
    that number they are a sample of it without replacement.
    """
    # All at once: a label set may have tens of thousands of clusters.
    inside = codes >= 0
    values, codes, n_clusters = values[inside], codes[inside], len(counts)
    n_rows = np.bincount(codes, minlength=n_clusters)
    means = np.bincount(codes, values, n_clusters) / np.maximum(n_rows, 1)
    squares = np.bincount(codes, (values - means[codes]) ** 2, n_clusters)
    variances = squares / np.maximum(n_rows - 1, 1)
    errors = np.sqrt(variances * (1 - n_rows / counts) / np.maximum(n_rows, 1))
    known = (n_rows > 1) | (n_rows == counts)
    return [
        Estimate(mean if n else None, error if has_error else None, n)
        for mean, error, has_error, n in zip(
            means.tolist(), errors.tolist(), known.tolist(), n_rows.tolist(), strict=True
        )
    ]
