"""Warnings worth having: what makes segments less than they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Scale
from segrun.formats import percent_in_text
from segrun.segments.clustering import Clustering
from segrun.segments.clusters import of_clusters, told
from segrun.segments.outliers import middles
from segrun.segments.population import Population
from segrun.segments.segment import NOISE
from segrun.segments.stability import DISSOLVED, Stability

#: Share of the separation from which on one column makes it alone.
_DOMINATING = 0.8
#: Steps after which columns are no features any more.
_COMPONENTS = ("pca", "svd")


def cautions(clustering: Clustering, people: Population, stable: Stability) -> list[dict[str, str]]:
    """Return ``kind`` and ``text`` of everything odd about the clusters of a point.

    Parameters
    ----------
    clustering : Clustering
        The point.
    people : Population
        Numbers by label, and which segments are described.
    stable : Stability
        What refits came to.
    """
    labels, numbers = clustering.labels, people.numbers
    of_label, counts = np.unique(labels[labels != NOISE], return_counts=True)
    sizes = dict(zip(of_label.tolist(), counts.tolist(), strict=True))
    found = of_clusters(
        labels, sizes, clustering.customers, lambda label: f"Segment {numbers[label]}"
    )
    if not sizes:
        return found
    checks = (_dominating(clustering), _dissolving(stable, numbers), _not_shown(people))
    return [*found, *(caution for check in checks for caution in check)]


def _dominating(clustering: Clustering) -> Iterator[dict[str, str]]:
    names = clustering.customers.feature_names
    scaled = _before_components(clustering)
    if len(names) < 2 or scaled.shape[1] != len(names):
        return
    shares = between_shares(scaled, clustering.labels)
    top = int(np.argmax(shares))
    if shares[top] < _DOMINATING:
        return
    unscaled = clustering.experiment.transform.scale is Scale.none
    why = ", which is not scaled (transform.scale=none)" if unscaled else ""
    share = percent_in_text(float(shares[top]))
    yield told(
        "dominating_feature",
        f"{names[top]}{why} makes {share} of the differences between the "
        f"segments: the other {len(names) - 1} columns hardly count",
    )


def _before_components(clustering: Clustering) -> Any:
    """Return the matrix with one column per feature, as components would see it; maybe sparse."""
    if not any(name in _COMPONENTS for name, _ in clustering.steps):
        return clustering.Z
    X = clustering.customers.matrix()
    for name, step in clustering.steps:
        if name in _COMPONENTS:
            break
        X = step.transform(X)
    return X


def between_shares(Z: Any, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each column's share of the sum of squares between clusters; zeros without any."""
    inside = labels != NOISE
    found, means = middles(Z, labels)
    counts = np.bincount(np.searchsorted(found, labels[inside]), minlength=len(found))
    centre = (Z if inside.all() else Z[inside]).mean(axis=0)
    between = counts @ (means - centre) ** 2
    total = between.sum()
    return between / total if total > 0 else np.zeros(Z.shape[1])


def _dissolving(stable: Stability, numbers: Mapping[int, int]) -> Iterator[dict[str, str]]:
    if stable.reason:
        yield told("stability", f"Stability is not judged: {stable.reason}")
    gone = sorted(numbers[label] for label in stable.jaccard if stable.dissolves(label))
    if gone:
        many = "" if len(gone) <= 10 else ", ..."
        yield told(
            "dissolving",
            f"{len(gone)} of {len(stable.jaccard)} segments dissolve in refits to samples "
            f"(mean Jaccard index at most {DISSOLVED}): {', '.join(map(str, gone[:10]))}{many}",
        )


def _not_shown(people: Population) -> Iterator[dict[str, str]]:
    left = len(people.labels) - len(people.shown)
    if left:
        yield told(
            "not_described",
            f"Only the {len(people.shown)} largest segments are described; {left:,} more are "
            "listed by size",
        )
