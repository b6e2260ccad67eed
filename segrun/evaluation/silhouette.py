"""Silhouettes of many label sets from one pass over the distances.

The silhouette of a row is ``(b - a) / max(a, b)`` with `a` its mean distance to the other rows of
its cluster and `b` its mean distance to the rows of the nearest other cluster (Rousseeuw, 1987,
Journal of Computational and Applied Mathematics 20, 53-65). Every distance serves all label sets:
see `JointGroups`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from segrun.evaluation.distances import compiled_sums, fits, product_sums
from segrun.evaluation.partition import Partition, joint_groups

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
