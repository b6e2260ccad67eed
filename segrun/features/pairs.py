"""One value per user and item, from rows about them, and the sparse matrix of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import Centre, ColumnKind, Duplicates, RatingsConfig, Values
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.nearest import did_you_mean
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns


@dataclass(frozen=True)
class Pairs:
    """What users gave items.

    `frame` has the columns ``user``, ``item`` (text) and ``value`` (float64), one row per pair;
    `values` says what they are: rating, ones or counts. Of the `n_lines` that were read,
    `n_missing` lack user, item or rating and do not count.
    """

    frame: pl.DataFrame
    values: str
    n_lines: int
    n_missing: int


def read_pairs(rows: Rows, config: RatingsConfig, values: str | None = None) -> Pairs:
    """Return the pairs of rows."""
    check_columns(rows.kinds, config)
    settled = _values(rows, config) if values is None else Values(values)
    frame = _triplets(rows, config, settled)
    complete = ~pl.any_horizontal(pl.col("user", "item", "value").is_null())
    counts = frame.select(n=pl.len(), complete=complete.sum()).collect(engine="streaming")
    n_lines, n_complete = (int(n) for n in counts.row(0))
    if not n_complete:
        raise DataError(
            f"none of {n_lines} lines has user, item and rating: look at the columns that "
            "features.item and features.rating name"
        )
    value = _combined(config, settled)
    pairs = (
        frame.filter(complete)
        .group_by("user", "item")
        .agg(value=value.cast(pl.Float64), n=pl.len())
        .collect(engine="streaming")
        .sort("user", "item")
    )
    if settled is Values.rating and config.duplicates is Duplicates.refuse:
        _check_twice(pairs)
    return Pairs(pairs.drop("n"), settled.value, n_lines, n_lines - n_complete)


def read_titles(rows: Rows, config: RatingsConfig) -> Mapping[str, str]:
    """Return what items are called, by id: of several titles the most frequent one."""
    if config.title is None or config.title not in rows.kinds:
        return {}
    frame: pl.LazyFrame = rows.in_polars.to_native()
    found = (
        frame.select(item=pl.col(config.item), title=pl.col(config.title))
        .drop_nulls()
        .group_by("item", "title")
        .agg(n=pl.len())
        .collect(engine="streaming")
        # The last one stays; in the order of the alphabet where two are as frequent.
        .sort("n", "title", descending=[False, True])
    )
    return dict(found.select("item", "title").iter_rows())


def check_columns(kinds: Mapping[str, ColumnKind], config: RatingsConfig) -> None:
    """Refuse columns that are not there, or hold something else."""
    wanted = {"item": ColumnKind.text, "rating": ColumnKind.number}
    for key, kind in wanted.items():
        name = getattr(config, key)
        # Without a rating, rows are ones or counts: `_values` decides.
        if name is None or (key == "rating" and config.values is not Values.rating):
            continue
        if name not in kinds:
            near = did_you_mean(name, kinds)
            raise ConfigError(
                f"features.{key}={name!r} is no column of the data.{near} "
                f"Its columns: {', '.join(kinds)}"
            )
        if kinds[name] is not kind:
            raise ConfigError(
                f"features.{key}={name!r} holds {kinds[name].value}s, not {kind.value}s"
            )


def _values(rows: Rows, config: RatingsConfig) -> Values:
    if config.values is Values.auto:
        return Values.rating if config.rating in rows.kinds else Values.ones
    if config.values is Values.rating and config.rating is None:
        raise ConfigError(
            "features.values=rating needs a column: name it in features.rating, or set "
            "features.values=ones (1 per user and item) or counts (lines per user and item)"
        )
    return config.values


def _triplets(rows: Rows, config: RatingsConfig, values: Values) -> pl.LazyFrame:
    frame: pl.LazyFrame = rows.in_polars.to_native()
    columns: dict[str, Any] = {"user": pl.col(rows.key), "item": pl.col(config.item)}
    columns["value"] = pl.col(config.rating or "") if values is Values.rating else pl.lit(1.0)
    if values is Values.rating and config.duplicates is Duplicates.last:
        frame = frame.with_row_index("line of segrun")
        columns["line"] = pl.col("line of segrun")
        timed = config.time is not None and config.time in rows.kinds
        columns["time"] = pl.col(config.time or "") if timed else pl.lit(0.0)
    return frame.select(**columns)


def _combined(config: RatingsConfig, values: Values) -> pl.Expr:
    value = pl.col("value")
    if values is Values.counts:
        return value.sum()
    if values is Values.rating and config.duplicates is Duplicates.mean:
        # Sorted: sums of floats in another order differ in the last bits.
        return value.sort().mean()
    if values is Values.rating and config.duplicates is Duplicates.last:
        return value.sort_by("time", "line", nulls_last=False).last()
    return value.max()


def _check_twice(pairs: pl.DataFrame) -> None:
    twice = pairs.filter(pl.col("n") > 1)
    if len(twice):
        first = twice.row(0, named=True)
        raise DataError(
            f"{len(twice)} pairs of user and item have several ratings, such as user "
            f"{first['user']!r} and item {first['item']!r} ({first['n']} times): set "
            "features.duplicates=last (by features.time, or the last line) or mean"
        )


@dataclass(frozen=True)
class Users:
    """Users with their sparse values, ordered by id as text.

    `n_rated` is the number of ratings of each, `means` the mean of these before centring.
    """

    customers: Customers
    n_rated: NDArray[np.int64]
    means: NDArray[np.float64]


def items_of(pairs: Pairs, titles: Mapping[str, str], least: int) -> Items:
    """Return the items with at least so many ratings, ordered by id as text."""
    known = pairs.frame["item"].unique().sort()
    code = _codes(pairs.frame["item"], known)
    n_ratings = np.bincount(code)
    # Not by polars: sums of floats by threads differ in the last bits from run to run.
    means = np.bincount(code, pairs.frame["value"].to_numpy()) / n_ratings
    stays = n_ratings >= least
    if not stays.any():
        raise DataError(
            f"no item has features.min_item_ratings={least} ratings, the most rated has "
            f"{n_ratings.max()}: lower features.min_item_ratings"
        )
    ids = np.array(known.to_list(), dtype=object)[stays]
    names = np.array([titles.get(key) or key for key in ids], dtype=object)
    return Items(ids, names, n_ratings[stays], means[stays])


def users_of(pairs: Pairs, items: Items, centre: Centre, id_column: str) -> Users:
    """Return every user who has rated one of the items."""
    # Late: only ratings need it.
    from scipy.sparse import csr_array

    known = pl.Series(items.ids, dtype=pl.String)
    frame = pairs.frame.filter(pl.col("item").is_in(known.implode()))
    names = frame["user"].unique().sort()
    user, item = _codes(frame["user"], names), _codes(frame["item"], known)
    value = frame["value"].to_numpy()
    n_rated = np.bincount(user, minlength=len(names))
    means = np.bincount(user, value, len(names)) / np.maximum(1, n_rated)
    if centre is Centre.user:
        value = value - means[user]
    elif centre is Centre.item:
        value = value - items.means[item]
    matrix = csr_array((value, (user, item)), shape=(len(names), len(items)))
    matrix.sort_indices()
    ids = np.array(names.to_list(), dtype=object)
    return Users(Customers(id_column, ids, SparseColumns(matrix, items)), n_rated, means)


def _codes(texts: pl.Series, known: pl.Series) -> NDArray[np.int32]:
    """Return the place of every text; scikit-learn takes no longer indices than these."""
    codes: NDArray[Any] = texts.cast(pl.Enum(known)).to_physical().to_numpy()
    return codes.astype(np.int32)
