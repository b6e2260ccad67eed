"""Warnings worth having: what makes segments less than they look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Scale
from segrun.formats import percent_in_text
from segrun.segments.clustering import Clustering
from segrun.segments.members import middles
from segrun.segments.population import Population
from segrun.segments.segment import NOISE
from segrun.segments.stability import DISSOLVED, Stability

if TYPE_CHECKING:
    from segrun.evaluation.scores import Scores
    from segrun.rundir.customers import Customers

UNCONVERGED = (
    "The fit did not converge: more iterations (algo.params.max_iter) would give other clusters"
)

#: Share of the separation from which on one column makes it alone.
_DOMINATING = 0.8
#: Steps after which columns are no features any more.
_COMPONENTS = ("pca", "svd")
#: Largest share of the rows from which on one segment is nearly everything.
_GIANT_SHARE = 0.9
#: A segment with fewer rows than this, or than this share of them, is tiny; so many are many.
_TINY_ROWS, _TINY_SHARE, _MANY_TINY = 5, 0.001, 20
#: Segments of replicated data with at most so many customers are copies of them.
_FEW_CUSTOMERS = 3

#: Kind and text of a warning.
Caution = tuple[str, str]


def cautions(clustering: Clustering, people: Population, stable: Stability) -> list[dict[str, str]]:
    """Return ``kind`` and ``text`` of everything odd about the clusters of a point."""
    labels, numbers = clustering.labels, people.numbers
    of_label, counts = np.unique(labels[labels != NOISE], return_counts=True)
    sizes = dict(zip(of_label.tolist(), counts.tolist(), strict=True))
    found = list(
        _of_labels(labels, sizes, clustering.customers, lambda label: f"Segment {numbers[label]}")
    )
    if sizes:
        found += _dominating(clustering)
        found += _dissolving(stable, numbers)
        found += _not_shown(people)
    return [{"kind": kind, "text": text} for kind, text in found]


def label_cautions(labels: NDArray[np.int64], score: Scores, customers: Customers) -> list[str]:
    """Return what can be said of a point before it is described, in sentences."""
    unconverged = [UNCONVERGED] if score.converged is False else []
    found = _of_labels(labels, score.sizes, customers, lambda label: f"The cluster {label}")
    return [*unconverged, *(text for _, text in found)]


def flags(size: int, share: float, jaccard: float | None) -> list[str]:
    """Return what is odd about one segment; `jaccard` is its mean index in refits to samples."""
    told = []
    if size == 1:
        told.append("a single customer")
    if share > _GIANT_SHARE:
        told.append(f"holds {percent_in_text(share)} of all customers")
    if jaccard is not None and jaccard <= DISSOLVED:
        told.append(f"dissolves: refits to samples find it with a Jaccard index of {jaccard:.2f}")
    return told


def _of_labels(
    labels: NDArray[np.int64],
    sizes: Mapping[int, int],
    customers: Customers,
    called: Callable[[int], str],
) -> Iterator[Caution]:
    """Yield what is odd about clusters by their sizes (without noise) and who is in them."""
    if not sizes:
        yield "all_noise", f"All {len(labels):,} rows are noise: there is no segment"
        return
    n_rows, n_largest = len(labels), max(sizes.values())
    if n_largest / n_rows > _GIANT_SHARE:
        largest = max(sizes, key=sizes.__getitem__)
        share = percent_in_text(n_largest / n_rows)
        yield (
            "giant_segment",
            f"{called(largest)} holds {share} of the rows ({n_largest:,} of {n_rows:,})",
        )
    limit = max(_TINY_ROWS, int(_TINY_SHARE * n_rows))
    n_tiny = sum(size < limit for size in sizes.values())
    if n_tiny >= _MANY_TINY and n_tiny >= len(sizes) / 2:
        yield (
            "tiny_segments",
            f"{n_tiny:,} of {len(sizes):,} segments have fewer than {limit} rows: that is no "
            "segmentation that people can use",
        )
    if customers.replica is not None and customers.replica.max() > 0:
        yield from _copies(labels, customers, sizes)
    single = [label for label, size in sizes.items() if size == 1]
    if len(single) > 3:
        yield "single_customers", f"{len(single):,} segments are a single customer each"
        return
    for label in single:
        who = customers.ids[int(np.flatnonzero(labels == label)[0])]
        yield (
            "single_customer",
            f"{called(label)} is a single customer, {who}: an outlier rather than a segment",
        )


def _copies(
    labels: NDArray[np.int64], customers: Customers, sizes: Mapping[int, int]
) -> Iterator[Caution]:
    """Yield whether segments hold hardly more than the copies of one customer."""
    assert customers.replica is not None
    n_copies = int(customers.replica.max()) + 1
    # Larger ones hold more customers: of most clusterings no row is looked at.
    small = [label for label, size in sizes.items() if 1 < size <= _FEW_CUSTOMERS * n_copies]
    if not small:
        return
    rows = np.flatnonzero(np.isin(labels, small))
    of_label: dict[int, set[str]] = {}
    for label, who in zip(labels[rows].tolist(), customers.ids[rows], strict=True):
        of_label.setdefault(label, set()).add(who)
    copies = sum(len(who) <= _FEW_CUSTOMERS and sizes[n] > len(who) for n, who in of_label.items())
    if copies:
        yield (
            "replicas",
            f"{copies:,} of {len(sizes):,} segments are the copies of at most "
            f"{_FEW_CUSTOMERS} customers each: each customer is there up to {n_copies} times "
            "(augmentation), and the algorithm has found the copies, not kinds of customers",
        )


def _dominating(clustering: Clustering) -> Iterator[Caution]:
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
    yield (
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


def _dissolving(stable: Stability, numbers: Mapping[int, int]) -> Iterator[Caution]:
    if stable.reason:
        yield "stability", f"Stability is not judged: {stable.reason}"
    gone = sorted(numbers[label] for label in stable.jaccard if stable.dissolves(label))
    if gone:
        many = "" if len(gone) <= 10 else ", ..."
        yield (
            "dissolving",
            f"{len(gone)} of {len(stable.jaccard)} segments dissolve in refits to samples "
            f"(mean Jaccard index at most {DISSOLVED}): {', '.join(map(str, gone[:10]))}{many}",
        )


def _not_shown(people: Population) -> Iterator[Caution]:
    left = len(people.labels) - len(people.shown)
    if left:
        yield (
            "not_described",
            f"Only the {len(people.shown)} largest segments are described; {left:,} more are "
            "listed by size",
        )
