"""Separability: how well simple classifiers tell the segments apart, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.seeds import generator
from segrun.segments.segment import Segments

#: Rows that the classifiers see; more are sampled.
MAX_ROWS = 20_000
#: With more segments nobody reads a confusion matrix.
MAX_SEGMENTS = 50
_FOLDS = 5


@dataclass(frozen=True)
class Leaf:
    """One leaf of a tree: what leads to it and who is in it."""

    bounds: dict[int, tuple[float, float]]  # by feature: above the first, at most the second
    predicted: int  # place of the class that the tree predicts here
    counts: NDArray[np.int64]  # rows of each class


@dataclass(frozen=True)
class Separability:
    """What cross-validated classifiers come to; empty where they cannot be asked."""

    scores: list[dict[str, object]] = field(default_factory=list)  # of `separability.csv`
    confusion: list[dict[str, object]] = field(default_factory=list)  # of `confusion.csv`
    classes: Sequence[int] = ()  # numbers of the segments that the tree tells apart
    leaves: Sequence[Leaf] = ()  # of the tree, fitted to all the rows seen


def separability(
    Z: NDArray[np.float64], X: NDArray[np.float64], numbers: NDArray[np.int64], seed: int
) -> Separability:
    """Predict the segments by Gaussian naive Bayes and by a shallow decision tree.

    Naive Bayes sees the matrix that was clustered, the tree features in raw units.
    """
    rows = seen(numbers, seed)
    found, counts = np.unique(numbers[rows], return_counts=True)
    if len(found) < 2 or len(found) > MAX_SEGMENTS:
        return Separability()
    from sklearn.naive_bayes import GaussianNB
    from sklearn.tree import DecisionTreeClassifier

    # Enough leaves for each segment to have some; few enough to be read.
    tree = DecisionTreeClassifier(
        max_depth=max(3, int(np.ceil(np.log2(len(found)))) + 1),
        min_samples_leaf=5,
        class_weight="balanced",
        random_state=seed,
    )
    y, n_folds = numbers[rows], min(_FOLDS, int(counts.min()))
    scores, confusion = [], []
    for name, classifier, features in (
        ("naive_bayes", GaussianNB(), Z[rows]),
        ("tree", tree, X[rows]),
    ):
        predicted = _predicted(classifier, features, y, n_folds, seed)
        scores.append(_score(name, y, predicted, n_folds))
        confusion += _confusion(name, y, predicted, found)
    tree.fit(X[rows], y)
    return Separability(scores, confusion, found.tolist(), leaves(tree, X[rows], y))


def seen(numbers: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the rows to learn from: of a segment of one row nothing can be learnt.

    Of the rows that it returned it returns all.
    """
    rows = np.arange(len(numbers))
    if len(rows) > MAX_ROWS:
        rows = np.sort(generator(seed, "separability").choice(len(rows), MAX_ROWS, replace=False))
    _, where, counts = np.unique(numbers[rows], return_inverse=True, return_counts=True)
    return rows[counts[where] >= 2]


def _predicted(
    classifier: Any, X: NDArray[np.float64], y: NDArray[np.int64], n_folds: int, seed: int
) -> NDArray[np.int64]:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    predicted: NDArray[np.int64] = cross_val_predict(classifier, X, y, cv=folds)
    return predicted


def _score(
    name: str, y: NDArray[np.int64], predicted: NDArray[np.int64], n_folds: int
) -> dict[str, object]:
    right = predicted == y
    _, where, counts = np.unique(y, return_inverse=True, return_counts=True)
    recall = np.bincount(where, right) / counts
    return {
        "classifier": name,
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(recall.mean()),
        "baseline": float(counts.max() / len(y)),
        "n_folds": n_folds,
        "n_rows": len(y),
    }


def _confusion(
    name: str, y: NDArray[np.int64], predicted: NDArray[np.int64], found: NDArray[np.int64]
) -> list[dict[str, object]]:
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(y, predicted, labels=found)
    return [
        {"classifier": name, "actual": int(a), "predicted": int(p), "count": int(counts[i, j])}
        for i, a in enumerate(found)
        for j, p in enumerate(found)
    ]


def leaves(tree: Any, X: NDArray[np.float64], y: NDArray[np.int64]) -> list[Leaf]:
    """Return the leaves of a fitted tree, with the rows of X that come to each."""
    at = tree.apply(X)
    classes = np.searchsorted(tree.classes_, y)
    found: list[Leaf] = []

    def walk(node: int, bounds: dict[int, tuple[float, float]]) -> None:
        inner = tree.tree_
        if inner.children_left[node] < 0:
            own = classes[at == node]
            counts = np.bincount(own, minlength=len(tree.classes_))
            found.append(Leaf(bounds, int(inner.value[node][0].argmax()), counts))
            return
        feature, threshold = int(inner.feature[node]), float(inner.threshold[node])
        low, high = bounds.get(feature, (-np.inf, np.inf))
        walk(inner.children_left[node], {**bounds, feature: (low, min(high, threshold))})
        walk(inner.children_right[node], {**bounds, feature: (max(low, threshold), high)})

    walk(0, {})
    return found


def rules(
    found: Sequence[Leaf], classes: Sequence[int], segments: Segments, features: Sequence[str]
) -> str:
    """Return the rules of the tree as text: by segment, those of most customers first."""
    if not found:
        return ""
    lines = []
    for place, number in enumerate(classes):
        lines.append(heading(number, segments.name(number)))
        own = [leaf for leaf in found if leaf.predicted == place]
        for leaf in sorted(own, key=lambda leaf: -int(leaf.counts[place])):
            size, right = int(leaf.counts.sum()), int(leaf.counts[place])
            condition = _condition(leaf, features)
            lines.append(f"  {condition}: {right:,} of {size:,} customers are in it")
        if not own:
            lines.append("  no rule of the tree leads to it")
    return "\n".join(lines) + "\n"


def heading(number: int, name: str) -> str:
    """Return the line that the rules of a segment stand under."""
    return f"segment {number}: {name}"


def _condition(leaf: Leaf, features: Sequence[str]) -> str:
    parts = [_bound(features[feature], *bounds) for feature, bounds in leaf.bounds.items()]
    return " and ".join(parts) or "always"


def _bound(name: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{name} <= {high:.6g}"
    if np.isinf(high):
        return f"{name} > {low:.6g}"
    return f"{low:.6g} < {name} <= {high:.6g}"
