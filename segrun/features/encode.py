"""Columns per entity as numbers: missing values filled, texts encoded; learned once, kept.

What was learned is in the facts of the result, as plain values, so that other data get the same
columns: categories in order and fillings.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Encode, EncodedColumn, Unknown
from segrun.config.values import as_argument
from segrun.errors import ConfigError, DataError
from segrun.rundir.customers import TAKEN, Customers

log = logging.getLogger("segrun.features")

#: What a missing value becomes, where it is learned of the others.
_FILLINGS = ("median", "mean", "most_frequent")


@dataclass(frozen=True)
class Raw:
    """A column before it is encoded.

    `values` are numbers (missing nan) or str objects (missing None), one per entity; `where` is
    the key of its settings, for messages.
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


def _filling(column: Raw) -> float | str | None:
    """Return what a missing value becomes, None where it stays or is refused."""
    wanted = column.config.missing
    if wanted not in _FILLINGS:
        return None if wanted == "refuse" else wanted
    given = column.values[~column.missing]
    if not len(given):
        raise DataError(f"{column.where}.missing={wanted}: no row has a value to learn from")
    if wanted == "most_frequent":
        values, counts = np.unique(given.astype(str) if column.text else given, return_counts=True)
        most = values[counts.argmax()]
        return str(most) if column.text else float(most)
    return float(np.median(given) if wanted == "median" else given.mean())


def _filled(column: Raw, fill: float | str | None, ids: NDArray[np.object_]) -> tuple[Raw, int]:
    """Return a column without gaps, and how many there were; one of descriptions may keep them."""
    missing = column.missing
    n_missing = int(missing.sum())
    if not n_missing or (fill is None and not column.config.cluster):
        return column, 0
    if fill is None:
        shown = ", ".join(str(i) for i in ids[missing][:3])
        first, others = ("most_frequent", "a text") if column.text else ("median", "mean, a number")
        raise DataError(
            f"column {column.name} has no value for {n_missing} of {len(ids)} customers, such as "
            f"{shown}: set {as_argument(f'{column.where}.missing', first)} (or {others})"
        )
    values = column.values.copy() if column.text else column.values.astype(np.float64)
    values[missing] = fill
    return Raw(column.name, values, column.config, column.where), n_missing


def _tell(n_filled: Mapping[str, int], fills: Mapping[str, Any]) -> None:
    """Say what was filled with what."""
    for name, n in n_filled.items():
        log.warning("%s: %d missing values are filled with %s", name, n, fills[name])


@dataclass(frozen=True)
class Encoded:
    """Columns that are clustered on, those that are not, and what was learned."""

    customers: Customers
    about: Customers | None
    fitted: dict[str, Any]


def check(config: EncodedColumn, where: str, *, text: bool) -> None:
    """Refuse settings of a column that no data can satisfy."""
    missing, said = config.missing, f"{where}.missing={config.missing!r}"
    if text and not isinstance(missing, str):
        raise ConfigError(f"{said}: the column holds text: refuse, most_frequent or a text")
    if text and missing in ("median", "mean"):
        raise ConfigError(f"{said} is of numbers, but the column holds text: most_frequent?")
    number = isinstance(missing, int | float) and not isinstance(missing, bool)
    if not text and not number and missing not in ("refuse", *_FILLINGS):
        raise ConfigError(f"{said}: refuse, {', '.join(_FILLINGS)} or a number")
    if number and not np.isfinite(missing):
        raise ConfigError(f"{said} must be a finite number")
    if not text and (config.encode is not None or config.categories):
        raise ConfigError(
            f"{where}: only texts are encoded, and the column holds numbers: leave out encode and "
            "categories, or declare it as text"
        )
    if len(set(config.categories)) < len(config.categories):
        raise ConfigError(f"{where}.categories has a text twice")


def encode(
    id_column: str, ids: NDArray[np.object_], raw: Sequence[Raw], fitted: Mapping[str, Any] | None
) -> Encoded:
    """Return the columns that are clustered on as numbers, the others as they are."""
    fills, categories, n_filled = {}, {}, {}
    columns: dict[str, Any] = {}
    about: dict[str, Any] = {}
    for column in raw:
        known = fitted or {}
        fill = known.get("fills", {}).get(column.name) if fitted else _filling(column)
        if fill is not None:
            fills[column.name] = fill
        whole, n = _filled(column, fill, ids)
        if n:
            n_filled[column.name] = n
        if not column.config.cluster:
            _add(about, column.name, whole.values)
            continue
        if not column.text:
            _add(columns, column.name, whole.values)
            continue
        known_texts = known.get("categories", {}).get(column.name) or column.config.categories
        categories[column.name] = list(known_texts) or _categories(whole)
        for name, values in _encoded(whole, categories[column.name], ids).items():
            _add(columns, name, values)
    _check(id_column, columns, about)
    _tell(n_filled, fills)
    kept = {"fills": fills, "categories": categories}
    rest = Customers(id_column, ids, about) if about else None
    return Encoded(Customers(id_column, ids, columns), rest, {k: v for k, v in kept.items() if v})


def encoded_names(config: EncodedColumn, name: str, *, text: bool) -> list[str] | None:
    """Return the names that a column will have, None where the data decide."""
    if not config.cluster:
        return []
    if not text or config.encode is Encode.ordinal:
        return [name]
    return [f"{name}={category}" for category in config.categories] or None


def is_ordinal(config: EncodedColumn) -> bool:
    """Tell whether a text column becomes one of numbers."""
    return config.cluster and config.encode is Encode.ordinal


def _categories(column: Raw) -> list[str]:
    found = sorted({str(value) for value in column.values})
    if len(found) > column.config.max_categories:
        raise DataError(
            f"column {column.name} has {len(found)} categories, more than "
            f"{column.where}.max_categories={column.config.max_categories}: list those that count "
            f"in {column.where}.categories with unknown=ignore, raise max_categories, or keep the "
            f"column out of clustering: {column.where}.cluster=false"
        )
    return found


def _encoded(
    column: Raw, categories: Sequence[str], ids: NDArray[np.object_]
) -> dict[str, NDArray[np.int64]]:
    place = {category: i for i, category in enumerate(categories)}
    codes = np.array([place.get(value, -1) for value in column.values], dtype=np.int64)
    unknown = codes < 0
    if unknown.any() and column.config.unknown is Unknown.refuse:
        strange = sorted({str(value) for value in column.values[unknown]})
        raise DataError(
            f"column {column.name}: no known category is "
            f"{', '.join(map(repr, strange[:3]))} (customer {ids[unknown][0]}). Known: "
            f"{', '.join(categories[:10])}. {column.where}.unknown=ignore takes them for none"
        )
    if column.config.encode is Encode.ordinal:
        return {column.name: codes}
    return {
        f"{column.name}={category}": (codes == i).astype(np.int64) for category, i in place.items()
    }


def _add(columns: dict[str, Any], name: str, values: NDArray[Any]) -> None:
    if name in columns:
        raise ConfigError(f"two columns are called {name!r}: rename one")
    columns[name] = values


def _check(id_column: str, columns: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    if id_column in {*columns, *about}:
        raise ConfigError(f"a column is called {id_column!r}, as the id is: rename it")
    taken = [name for name in (*columns, *about) if name in TAKEN]
    if taken:
        raise ConfigError(f"results have a column {taken[0]!r} of their own: rename that column")
    if not columns:
        raise ConfigError("no column is clustered on: each has cluster=false")
