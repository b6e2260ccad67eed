"""The columns that segments are described by: clustered ones and others, all as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import FeaturesConfig
from segrun.features import feature_set_of

#: Values of a text column that are told apart, the most frequent first.
MAX_CATEGORIES = 20


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        Of the column; of a category ``Country=France``.
    stored : ndarray of numbers, shape (n_samples,)
        In raw units, NaN where unknown; of a category 1 for those that have it, otherwise 0.
    clustered : bool
        Whether the algorithm saw it.
    category : bool
        Whether it is a value of a text column.
    title : str
        What people are told instead of the name; empty: the name.
    """

    name: str
    stored: NDArray[Any]
    clustered: bool
    category: bool = False
    title: str = ""

    @property
    def called(self) -> str:
        """What sentences call the column."""
        return self.title or self.name

    @property
    def values(self) -> NDArray[np.float64]:
        """What is stored, as float64; whole numbers are converted each time, not kept twice."""
        return np.asarray(self.stored, dtype=np.float64)

    @property
    def kind(self) -> str:
        """What tables call it: numeric or share."""
        return "share" if self.category else "numeric"

    def take(self, rows: NDArray[Any]) -> Column:
        """Return the chosen rows."""
        return replace(self, stored=self.stored[rows])


def titles(features: FeaturesConfig) -> dict[str, str]:
    """Return what to call features whose names say something else than what they are."""
    return feature_set_of(features).titles(features)


def columns_of(
    clustered: Mapping[str, NDArray[Any]], others: Mapping[str, NDArray[Any]]
) -> list[Column]:
    """Return all columns, those that were clustered first.

    Parameters
    ----------
    clustered, others : mapping of str to ndarray of shape (n_samples,)
        Numbers, or texts with None where unknown. A text column becomes one column for each of
        its most frequent values.
    """
    found = [c for name, values in clustered.items() for c in _columns(name, values, True)]
    known = {column.name for column in found}
    return found + [
        column
        for name, values in others.items()
        if name not in clustered
        for column in _columns(name, values, False)
        if column.name not in known
    ]


def _columns(name: str, values: NDArray[Any], clustered: bool) -> Iterator[Column]:
    if values.dtype.kind in "biuf":
        # A category that features=table has encoded.
        category = "=" in name and bool(np.isin(values, (0, 1)).all())
        yield Column(name, values, clustered, category)
        return
    if values.dtype.kind in "mM":
        return
    texts = ["" if value is None else str(value) for value in values]
    # By a dictionary: sorting millions of texts takes ten times as long.
    found = sorted(set(texts))
    code_of = {text: code for code, text in enumerate(found)}
    where = np.fromiter((code_of[text] for text in texts), np.int64, len(texts))
    counts = np.bincount(where, minlength=len(found))
    by_count = np.lexsort((np.arange(len(found)), -counts))
    told = [number for number in by_count if found[number] and counts[number] > 1]
    for number in told[:MAX_CATEGORIES]:
        share = (where == number).astype(np.float32)
        if "" in code_of:
            share[where == code_of[""]] = np.nan
        yield Column(f"{name}={found[number]}", share, clustered, category=True)
