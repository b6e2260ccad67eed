"""The sampled silhouette and its standard error against the exact one, over many seeds."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from segrun.config import EvaluationConfig, SilhouetteConfig
from segrun.evaluation.scores import evaluate
from segrun.evaluation.silhouette import cluster_estimates, estimate, scored_rows

SAMPLED = EvaluationConfig(SilhouetteConfig(1, 300), 0.5)
EXACT = EvaluationConfig(SilhouetteConfig(10_000, 1), 0.5)


def clusters(sizes, seed=0):
    """Clusters of these sizes, one in every ten rows noise, in any order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = 2 * rng.normal(size=(len(sizes), 3))[labels] + rng.normal(size=(len(labels), 3))
    return X, np.where(rng.random(len(labels)) < 0.1, -1, labels)


EVEN = clusters([500] * 4)
UNEQUAL = clusters([1900, 80, 15, 5])
SKEWED = (np.random.default_rng(0).lognormal(size=(2000, 3)), np.arange(2000) % 7 // 6)


def covers(found, exact):
    """Tell whether the 95 % interval covers the exact mean."""
    return abs(found.mean - exact) <= 1.96 * found.standard_error


@pytest.mark.heavy
@pytest.mark.parametrize("data", [EVEN, UNEQUAL, SKEWED], ids=["even", "unequal", "skewed"])
def test_the_interval_covers_the_exact_score_in_93_percent_of_200_draws(data):
    X, labels = data
    exact = evaluate(X, {"p": labels}, EXACT, 0)["p"].silhouette
    found = [evaluate(X, {"p": labels}, SAMPLED, seed)["p"] for seed in range(200)]
    covered = [abs(each.silhouette - exact) <= 1.96 * each.silhouette_se for each in found]
    assert np.mean(covered) >= 0.93
    # And not for being too wide: errors are as large as they are said to be.
    error = np.std([each.silhouette - exact for each in found])
    assert error == pytest.approx(np.mean([each.silhouette_se for each in found]), rel=0.15)


@pytest.mark.heavy
@pytest.mark.parametrize("data", [EVEN, UNEQUAL, SKEWED], ids=["even", "unequal", "skewed"])
def test_the_interval_covers_over_thousands_of_draws(data):
    """The values of rows do not depend on the sample, so that drawing alone may be repeated."""
    X, labels = data
    inside = labels >= 0
    values = np.full(len(X), np.nan)
    values[inside] = silhouette_samples(X[inside], labels[inside])
    draws = (scored_rows(len(X), SAMPLED.silhouette, seed) for seed in range(4000))
    found = [covers(estimate(values[r], inside.sum()), np.nanmean(values)) for r in draws]
    assert 0.935 <= np.mean(found) <= 0.965


@pytest.mark.heavy
def test_the_intervals_of_clusters_cover_where_enough_rows_were_drawn():
    X, labels = EVEN
    inside = labels >= 0
    values = np.full(len(X), np.nan)
    values[inside] = silhouette_samples(X[inside], labels[inside])
    counts = np.bincount(labels[inside])
    exact = np.bincount(labels[inside], values[inside]) / counts
    covered = []
    for seed in range(1000):
        rows = scored_rows(len(X), SAMPLED.silhouette, seed)
        found = cluster_estimates(values[rows], labels[rows], counts)
        covered += [covers(each, mean) for each, mean in zip(found, exact, strict=True)]
    assert 0.93 <= np.mean(covered) <= 0.97
