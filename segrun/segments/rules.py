"""The rules of a decision tree: which customers are in which segment, in raw units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.segments.segment import Segments


@dataclass(frozen=True)
class Leaf:
    """One leaf of a tree: what leads to it and who is in it.

    Attributes
    ----------
    bounds : mapping of int to (float, float)
        By feature: above the first, at most the second.
    predicted : int
        Place of the class that the tree predicts here.
    counts : ndarray of int64, shape (n_classes,)
        Rows of each class.
    """

    bounds: dict[int, tuple[float, float]]
    predicted: int
    counts: NDArray[np.int64]


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
    """Return the rules of the tree as text: by segment, those of most customers first.

    Parameters
    ----------
    found : sequence of Leaf
        Of the tree; without a tree there are no rules.
    classes : sequence of int
        Numbers of the segments that it tells apart, as the leaves count them.
    segments : Segments
        Numbers and names.
    features : sequence of str
        Names of the columns.
    """
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
