"""Which rows are scored, the mean over them, and how far sampling may be off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import SilhouetteConfig
from segrun.seeds import generator


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
