"""Separability: how well simple classifiers tell the segments apart, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.seeds import generator
from segrun.segments.rules import Leaf, leaves

#: Rows that the classifiers see; more are sampled.
MAX_ROWS = 20_000
#: With more segments nobody reads a confusion matrix.
MAX_SEGMENTS = 50
_FOLDS = 5


@dataclass(frozen=True)
class Separability:
    """What cross-validated classifiers come to; empty where they cannot be asked.

    Attributes
    ----------
    scores : list of mapping
        Rows of ``separability.csv``.
    confusion : list of mapping
        Rows of ``confusion.csv``.
    classes : sequence of int
        Numbers of the segments that the tree tells apart.
    leaves : sequence of Leaf
        Of the tree, fitted to all the rows seen.
    """

    scores: list[dict[str, object]] = field(default_factory=list)
    confusion: list[dict[str, object]] = field(default_factory=list)
    classes: Sequence[int] = ()
    leaves: Sequence[Leaf] = ()


def separability(
    Z: NDArray[np.float64], X: NDArray[np.float64], numbers: NDArray[np.int64], seed: int
) -> Separability:
    """Predict the segments by Gaussian naive Bayes and by a shallow decision tree.

    Parameters
    ----------
    Z : ndarray of float64, shape (n_samples, n_components)
        The matrix that was clustered, for naive Bayes.
    X : ndarray of float64, shape (n_samples, n_features)
        Features in raw units, for the tree.
    numbers : ndarray of int64, shape (n_samples,)
        Segment of each row.
    seed : int
        The experiment's seed.
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
    found, where, counts = np.unique(numbers[rows], return_inverse=True, return_counts=True)
    del found
    return rows[counts[where] >= 2]


def _predicted(
    classifier: Any, X: NDArray[np.float64], y: NDArray[np.int64], n_folds: int, seed: int
) -> NDArray[np.int64]:
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    predicted = np.empty_like(y)
    for learnt, asked in folds.split(X, y):
        predicted[asked] = clone(classifier).fit(X[learnt], y[learnt]).predict(X[asked])
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
    counts = np.zeros((len(found), len(found)), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(found, y), np.searchsorted(found, predicted)), 1)
    return [
        {"classifier": name, "actual": int(a), "predicted": int(p), "count": int(counts[i, j])}
        for i, a in enumerate(found)
        for j, p in enumerate(found)
    ]
