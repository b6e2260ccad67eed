"""The columns that segments are described by: clustered ones and others, all as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import FeaturesConfig
from segrun.errors import DataError
from segrun.features import feature_set_of
from segrun.nearest import did_you_mean

#: Values of a text column that are told apart, the most frequent first.
MAX_CATEGORIES = 20


@dataclass(frozen=True)
class Column:
    """One column, or one value of a text column: ``Country=France``."""

    name: str
    stored: NDArray[Any]  # in raw units, NaN where unknown; of a category 1 or 0
    clustered: bool  # whether the algorithm saw it
    category: bool = False
    title: str = ""  # what people are told instead of the name, if not empty

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


def column_named(name: str, columns: Sequence[Column], key: str) -> Column:
    """Return a column by its name, in any case of letters where that is clear.

    DataError, naming the key that asks for it, if there is none.
    """
    exact = [column for column in columns if column.name == name]
    alike = [column for column in columns if column.name.lower() == name.lower()]
    if exact or len(alike) == 1:
        return (exact or alike)[0]
    names = [column.name for column in columns]
    raise DataError(
        f"{key}: there is no column {name!r}.{did_you_mean(name, names)} Columns: "
        f"{', '.join(names)}"
    )


def columns_of(
    clustered: Mapping[str, NDArray[Any]], others: Mapping[str, NDArray[Any]]
) -> list[Column]:
    """Return all columns, those that were clustered first.

    They hold numbers, or texts with None where unknown: these become a column for each of their
    most frequent values.
    """
    found = [c for name, values in clustered.items() for c in _columns(name, values, True)]
    known = {column.name for column in found}
    further = [
        c
        for name, values in others.items()
        if name not in clustered
        for c in _columns(name, values, False)
    ]
    return found + [column for column in further if column.name not in known]


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
    by_count = np.argsort(-counts, kind="stable")
    told = [code for code in by_count if found[code] and counts[code] > 1]
    for code in told[:MAX_CATEGORIES]:
        share = (where == code).astype(np.float32)
        if "" in code_of:
            share[where == code_of[""]] = np.nan
        yield Column(f"{name}={found[code]}", share, clustered, category=True)
