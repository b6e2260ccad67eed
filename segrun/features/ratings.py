"""Ratings: from (user, item, rating) triplets to one sparse row per user, one column per item."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import Centre, ColumnKind, Duplicates, RatingsConfig, Values
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.features.built import Built
from segrun.features.removed import told
from segrun.nearest import did_you_mean
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns

log = logging.getLogger("segrun.features")


def check(config: RatingsConfig, kinds: Mapping[str, ColumnKind] | None = None) -> None:
    """Refuse settings that no data can satisfy."""
    if kinds:
        check_columns(kinds, config)
    given = {
        key: value
        for key in ("item", "rating", "time", "title")
        if (value := getattr(config, key)) is not None
    }
    for key, value in given.items():
        twins = [other for other in given if other != key and given[other] == value]
        if twins:
            raise ConfigError(f"features.{key} and features.{twins[0]} are both {value!r}")


def build(rows: Rows, config: RatingsConfig, fitted: Mapping[str, Any] | None = None) -> Built:
    """Build the matrix of users and items; what a user has not rated is 0 and not stored.

    Items with too few ratings go first. Users with too few ratings of the items that are left
    are set aside: they are in `all_customers` only.
    """
    pairs = read_pairs(rows, config, None if fitted is None else fitted["values"])
    if fitted is None:
        items = items_of(pairs, read_titles(rows, config), config.min_item_ratings)
        least = config.min_user_ratings
    else:
        items, least = fitted["items"], 1
    users = users_of(pairs, items, config.centre, rows.id_column)
    unknown = _unknown(pairs, items, int(users.n_rated.sum()), again=fitted is not None)
    stays = users.n_rated >= least
    if not stays.any():
        raise DataError(
            f"no user has features.min_user_ratings={least} ratings of the {len(items)} items: "
            f"the most active has {users.n_rated.max(initial=0)}. Lower features.min_user_ratings"
        )
    kept = users.customers.take(stays)
    if fitted is None:
        _check_alike(kept)
    facts = _facts(pairs, kept, unknown, int((~stays).sum()))
    if fitted is None:
        facts["removed"] = _removed(config, pairs, unknown, users.n_rated[~stays], len(stays))
    _tell(facts, least)
    about: dict[str, Any] = {"Ratings": users.n_rated, "MeanRating": users.means}
    return Built(
        users.customers, kept, facts, Customers(rows.id_column, users.customers.ids, about)
    )


def _facts(
    pairs: Pairs, kept: Customers, unknown: Mapping[str, int], n_aside: int
) -> dict[str, Any]:
    n_users, n_items = kept.matrix().shape
    n_ratings = int(kept.matrix().nnz)
    return {
        "n_lines": pairs.n_lines,
        "dropped": {"missing": pairs.n_missing, **unknown},
        "n_pairs": len(pairs.frame),
        "fitted": {"values": pairs.values},
        "n_items": n_items,
        "n_ratings": n_ratings,
        "density": n_ratings / (n_users * n_items),
        "customers": n_users + n_aside,
        "set_aside": {"min_user_ratings": n_aside},
        "clustered": n_users,
        "kept": {"n_customers": n_users, "n_lines": n_ratings},
    }


def _removed(
    config: RatingsConfig, pairs: Pairs, unknown: Mapping[str, int], aside: NDArray[np.int64],
    n_users: int,
) -> dict[str, Mapping[str, Any]]:  # fmt: skip
    """Return how much each setting leaves out; see `segrun.features.removed`."""
    found: dict[str, Mapping[str, Any]] = {}
    n_pairs, n_rare = len(pairs.frame), sum(unknown.values())
    if pairs.n_missing:
        share = {"lines": pairs.n_missing / pairs.n_lines}
        found["missing user, item or rating"] = {"n_lines": pairs.n_missing, **told(share, {})}
    if n_rare:
        rule = f"features.min_item_ratings={config.min_item_ratings}"
        found[rule] = {"n_lines": n_rare, **told({"ratings": n_rare / n_pairs}, {})}
    if len(aside):
        rule = f"features.min_user_ratings={config.min_user_ratings}"
        share = {"users": len(aside) / n_users, "ratings": int(aside.sum()) / n_pairs}
        n = {"n_customers": len(aside), "n_lines": int(aside.sum())}
        found[rule] = {**n, **told(share, {})}
    return found


def _tell(facts: Mapping[str, Any], least: int) -> None:
    n_aside = facts["set_aside"]["min_user_ratings"]
    log.info(
        "%d users x %d items, %d values (%s), %.2g %% of the matrix%s",
        facts["clustered"], facts["n_items"], facts["n_ratings"], facts["fitted"]["values"],
        100 * facts["density"],
        f"; {n_aside} users set aside by features.min_user_ratings={least}" if n_aside else "",
    )  # fmt: skip


def _check_alike(customers: Customers) -> None:
    X = customers.matrix()
    full = len(customers) > 1 and X.nnz == X.shape[0] * X.shape[1]
    if full and (X.data.reshape(X.shape) == X.data[: X.shape[1]]).all():
        raise DataError(
            f"all {len(customers)} users gave every item the same value: there is nothing to "
            "cluster. Look at features.values"
        )


def _unknown(pairs: Pairs, items: Items, n_known: int, *, again: bool) -> dict[str, int]:
    """Count the ratings of items that do not count, and say so."""
    n_unknown = len(pairs.frame) - n_known
    if not n_unknown:
        return {}
    if not again:
        return {"min_item_ratings": n_unknown}
    n_items = pairs.frame["item"].n_unique()
    n_new = n_items - int(pairs.frame["item"].unique().is_in(list(items.ids)).sum())
    log.warning(
        "%d of %d ratings are of items that the run does not know (%d of %d items): left out",
        n_unknown, len(pairs.frame), n_new, n_items,
    )  # fmt: skip
    if not n_known:
        raise DataError(
            f"none of the {n_items} items is among the {len(items)} that the run knows: are the "
            "item ids those of its own input?"
        )
    return {"unknown_items": n_unknown}


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
