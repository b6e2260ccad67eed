"""Warnings worth having: what makes segments less than they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Scale
from segrun.segments.clustering import Clustering
from segrun.segments.outliers import middles
from segrun.segments.population import Population
from segrun.segments.segment import NOISE
from segrun.segments.stability import DISSOLVED, Stability
from segrun.segments.wording import percent

#: Largest share of the rows from which on one segment is nearly everything.
_GIANT_SHARE = 0.9
#: A segment with fewer rows than this, or than this share of them, is tiny; so many are many.
_TINY_ROWS, _TINY_SHARE, _MANY_TINY = 5, 0.001, 20
#: Segments of replicated data with at most so many customers are copies of them.
_FEW_CUSTOMERS = 3
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
    found, counts = np.unique(labels[labels != NOISE], return_counts=True)
    if not len(found):
        return [_told("all_noise", f"All {len(labels):,} rows are noise: there is no segment")]
    checks = (
        _giant(found, counts, len(labels), numbers),
        _tiny(counts, len(labels)),
        _copies(clustering, found, counts),
        _single(clustering, found, counts, numbers),
        _dominating(clustering),
        _dissolving(stable, numbers),
        _not_shown(people),
    )
    return [caution for check in checks for caution in check]


def _told(kind: str, text: str) -> dict[str, str]:
    return {"kind": kind, "text": text}


def _giant(
    found: NDArray[np.int64], counts: NDArray[np.int64], n_rows: int, numbers: Mapping[int, int]
) -> Iterator[dict[str, str]]:
    largest = int(counts.argmax())
    share = counts[largest] / n_rows
    if share > _GIANT_SHARE:
        yield _told(
            "giant_segment",
            f"Segment {numbers[int(found[largest])]} holds {percent(share)} of the rows "
            f"({counts[largest]:,} of {n_rows:,})",
        )


def _tiny(counts: NDArray[np.int64], n_rows: int) -> Iterator[dict[str, str]]:
    limit = max(_TINY_ROWS, int(_TINY_SHARE * n_rows))
    n_tiny = int((counts < limit).sum())
    if n_tiny >= _MANY_TINY and n_tiny >= len(counts) / 2:
        yield _told(
            "tiny_segments",
            f"{n_tiny:,} of {len(counts):,} segments have fewer than {limit} rows: that is no "
            "segmentation that people can use",
        )


def _copies(
    clustering: Clustering, found: NDArray[np.int64], counts: NDArray[np.int64]
) -> Iterator[dict[str, str]]:
    customers = clustering.customers
    if customers.replica is None or customers.replica.max() == 0:
        return
    inside = clustering.labels != NOISE
    where = np.searchsorted(found, clustering.labels[inside])
    number: dict[str, int] = {}
    source = np.array([number.setdefault(key, len(number)) for key in customers.ids[inside]])
    pairs = np.unique(where * max(len(number), 1) + source)
    n_customers = np.bincount(pairs // max(len(number), 1), minlength=len(found))
    copies = (n_customers <= _FEW_CUSTOMERS) & (counts > n_customers)
    if copies.any():
        n_copies = int(customers.replica.max()) + 1
        yield _told(
            "replicas",
            f"{int(copies.sum()):,} of {len(found):,} segments are the copies of at most "
            f"{_FEW_CUSTOMERS} customers each: each customer is there up to {n_copies} times "
            "(augmentation), and the algorithm has found the copies, not kinds of customers",
        )


def _single(
    clustering: Clustering,
    found: NDArray[np.int64],
    counts: NDArray[np.int64],
    numbers: Mapping[int, int],
) -> Iterator[dict[str, str]]:
    single = found[counts == 1]
    if not len(single):
        return
    if len(single) > 3:
        yield _told("single_customers", f"{len(single):,} segments are a single customer each")
        return
    for label in single:
        row = int(np.flatnonzero(clustering.labels == label)[0])
        yield _told(
            "single_customer",
            f"Segment {numbers[int(label)]} is a single customer, "
            f"{clustering.customers.ids[row]}: an outlier rather than a segment",
        )


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
    yield _told(
        "dominating_feature",
        f"{names[top]}{why} makes {percent(float(shares[top]))} of the differences between the "
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
        yield _told("stability", f"Stability is not judged: {stable.reason}")
    gone = sorted(numbers[label] for label in stable.jaccard if stable.dissolves(label))
    if gone:
        many = "" if len(gone) <= 10 else ", ..."
        yield _told(
            "dissolving",
            f"{len(gone)} of {len(stable.jaccard)} segments dissolve in refits to samples "
            f"(mean Jaccard index at most {DISSOLVED}): {', '.join(map(str, gone[:10]))}{many}",
        )


def _not_shown(people: Population) -> Iterator[dict[str, str]]:
    left = len(people.labels) - len(people.shown)
    if left:
        yield _told(
            "not_described",
            f"Only the {len(people.shown)} largest segments are described; {left:,} more are "
            "listed by size",
        )
