"""Fit several models at once, where their backend can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from numpy.typing import NDArray


def shares(model: Any) -> bool:
    """Return whether models of this class can be fitted at once."""
    return hasattr(model, "fit_together")


def fit_together(models: Sequence[Any], X: NDArray[Any]) -> Iterator[Any]:
    """Yield the models, fitted to X of shape (n_samples, n_features), in order.

    Those whose class has a ``fit_together`` share what can be shared.
    """
    for cls, group in groupby(models, type):
        at_once = getattr(cls, "fit_together", None)
        if at_once is not None:
            yield from at_once(list(group), X)
        else:
            for model in group:
                yield model.fit(X)
