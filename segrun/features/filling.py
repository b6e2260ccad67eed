"""Columns per entity as they come from the rows, and their missing values."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import EncodedColumn
from segrun.config.advice import setting
from segrun.errors import DataError

log = logging.getLogger("segrun.features")

#: What a missing value becomes, where it is learned of the others.
FILLINGS = ("median", "mean", "most_frequent")


@dataclass(frozen=True)
class Raw:
    """A column before it is encoded.

    Attributes
    ----------
    name : str
        Its name.
    values : ndarray of shape (n_entities,)
        Numbers, missing nan; or str objects, missing None.
    config : EncodedColumn
        How it is encoded.
    where : str
        The key of its settings, for messages.
    """

    name: str
    values: NDArray[Any]
    config: EncodedColumn
    where: str

    @property
    def text(self) -> bool:
        """Whether its values are text."""
        return self.values.dtype == object

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Tell which values are missing."""
        if self.text:
            return np.array([value is None for value in self.values], dtype=bool)
        return np.isnan(self.values.astype(np.float64))


def filling(column: Raw) -> float | str | None:
    """Return what a missing value becomes, None where it stays or is refused.

    Raises
    ------
    DataError
        If there is no value to learn it from.
    """
    wanted = column.config.missing
    if wanted not in FILLINGS:
        return None if wanted == "refuse" else wanted
    given = column.values[~column.missing]
    if not len(given):
        raise DataError(f"{column.where}.missing={wanted}: no row has a value to learn from")
    if wanted == "most_frequent":
        values, counts = np.unique(given.astype(str) if column.text else given, return_counts=True)
        most = values[counts.argmax()]
        return str(most) if column.text else float(most)
    return float(np.median(given) if wanted == "median" else given.mean())


def filled(column: Raw, fill: float | str | None, ids: NDArray[np.object_]) -> tuple[Raw, int]:
    """Return a column without gaps, and how many there were; one of descriptions may keep them.

    Raises
    ------
    DataError
        If gaps are neither filled nor allowed.
    """
    missing = column.missing
    n_missing = int(missing.sum())
    if not n_missing or (fill is None and not column.config.cluster):
        return column, 0
    if fill is None:
        shown = ", ".join(str(i) for i in ids[missing][:3])
        first, others = ("most_frequent", "a text") if column.text else ("median", "mean, a number")
        raise DataError(
            f"column {column.name} has no value for {n_missing} of {len(ids)} customers, such as "
            f"{shown}: set {setting(f'{column.where}.missing', first)} (or {others})"
        )
    values = column.values.copy() if column.text else column.values.astype(np.float64)
    values[missing] = fill
    return Raw(column.name, values, column.config, column.where), n_missing


def tell(n_filled: Mapping[str, int], fills: Mapping[str, Any]) -> None:
    """Say what was filled with what."""
    for name, n in n_filled.items():
        log.warning("%s: %d missing values are filled with %s", name, n, fills[name])
