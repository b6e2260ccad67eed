"""Ratings: from (user, item, rating) triplets to one sparse row per user, one column per item."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import Centre, ColumnKind, RatingsConfig
from segrun.customers import Customers
from segrun.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.features.built import Built
from segrun.features.pairs import Pairs, check_columns, read_pairs, read_titles
from segrun.items import Items
from segrun.sparse import SparseColumns

log = logging.getLogger("segrun.features")


def check(config: RatingsConfig, kinds: Mapping[str, ColumnKind] | None = None) -> None:
    """Refuse settings that no data can satisfy.

    Parameters
    ----------
    config : RatingsConfig
        The settings.
    kinds : mapping of str to ColumnKind, optional
        Columns of the dataset, as far as they are known before it is read.

    Raises
    ------
    ConfigError
        If a least number of ratings is not positive, or a key names a column that is another's,
        or that is not there.
    """
    if kinds:
        check_columns(kinds, config)
    for name in ("min_user_ratings", "min_item_ratings"):
        value = getattr(config, name)
        if value < 1:
            raise ConfigError(f"features.{name} must be at least 1. Got {value} instead")
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

    Parameters
    ----------
    rows : Rows
        The triplets, or any rows about users and items.
    config : RatingsConfig
        Which columns, which values and which users and items count.
    fitted : mapping, optional
        ``items`` and ``values`` of an earlier result: the same columns are built of other data,
        every user with a rating of one of these items counts.

    Raises
    ------
    ConfigError
        If the configuration names columns that the rows lack.
    DataError
        If no user or item is left, or a user has rated an item twice where this is refused.
    """
    pairs = read_pairs(rows, config, None if fitted is None else fitted["values"])
    facts: dict[str, Any] = {
        "n_lines": pairs.n_lines,
        "dropped": {"missing": pairs.n_missing},
        "n_pairs": len(pairs.frame),
        "fitted": {"values": pairs.values},
    }
    if fitted is None:
        items = _items(pairs, read_titles(rows, config), config.min_item_ratings)
        least = config.min_user_ratings
    else:
        items, least = fitted["items"], 1
    found = _found(pairs, items)
    facts["dropped"] |= _tell_unknown(pairs, items, len(found.user), fitted is not None)
    everyone, n_rated, means = _everyone(found, items, config.centre, rows.id_column)
    stays = n_rated >= least
    if not stays.any():
        raise DataError(
            f"no user has features.min_user_ratings={least} ratings of the {len(items)} items: "
            f"the most active has {n_rated.max(initial=0)}. Lower features.min_user_ratings"
        )
    kept = everyone.take(stays)
    if fitted is None:
        _check_alike(kept)
    facts |= {
        "n_items": len(items),
        "n_ratings": int(n_rated[stays].sum()),
        "density": float(n_rated[stays].sum() / (int(stays.sum()) * len(items))),
        "customers": len(everyone),
        "set_aside": {"min_user_ratings": int((~stays).sum())},
        "clustered": len(kept),
    }
    log.info(
        "%d users x %d items, %d values (%s), %.2g %% of the matrix%s",
        len(kept), len(items), facts["n_ratings"], pairs.values, 100 * facts["density"],
        f"; {(~stays).sum()} users set aside by features.min_user_ratings={least}"
        if not stays.all() else "",
    )  # fmt: skip
    about = Customers(rows.id_column, everyone.ids, {"Ratings": n_rated, "MeanRating": means})
    return Built(everyone, kept, facts, about)


def _items(pairs: Pairs, titles: Mapping[str, str], least: int) -> Items:
    """Return the items with enough ratings, in order of their ids as text."""
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


@dataclass(frozen=True)
class _Found:
    """The ratings of the items that count: rows and columns of the matrix, and values."""

    users: NDArray[np.object_]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    value: NDArray[np.float64]


def _found(pairs: Pairs, items: Items) -> _Found:
    known = pl.Series(items.ids, dtype=pl.String)
    frame = pairs.frame.filter(pl.col("item").is_in(known.implode()))
    users = frame["user"].unique().sort()
    return _Found(
        np.array(users.to_list(), dtype=object), _codes(frame["user"], users),
        _codes(frame["item"], known), frame["value"].to_numpy(),
    )  # fmt: skip


def _codes(texts: pl.Series, known: pl.Series) -> NDArray[np.int64]:
    codes: NDArray[Any] = texts.cast(pl.Enum(known)).to_physical().to_numpy()
    return codes.astype(np.int64)


def _everyone(
    found: _Found, items: Items, centre: Centre, id_column: str
) -> tuple[Customers, NDArray[np.int64], NDArray[np.float64]]:
    """Return the users with their number of ratings and the mean of these, before centring."""
    # Late: only ratings need it.
    from scipy.sparse import csr_array

    n_users = len(found.users)
    n_rated = np.bincount(found.user, minlength=n_users)
    means = np.bincount(found.user, found.value, n_users) / np.maximum(1, n_rated)
    value = found.value
    if centre is Centre.user:
        value = value - means[found.user]
    elif centre is Centre.item:
        value = value - items.means[found.item]
    # scikit-learn takes no longer indices.
    places = found.user.astype(np.int32), found.item.astype(np.int32)
    matrix = csr_array((value, places), shape=(n_users, len(items)))
    matrix.sort_indices()
    return Customers(id_column, found.users, SparseColumns(matrix, items)), n_rated, means


def _check_alike(customers: Customers) -> None:
    X = customers.matrix()
    full = len(customers) > 1 and X.nnz == X.shape[0] * X.shape[1]
    if full and (X.data.reshape(X.shape) == X.data[: X.shape[1]]).all():
        raise DataError(
            f"all {len(customers)} users gave every item the same value: there is nothing to "
            "cluster. Look at features.values"
        )


def _tell_unknown(pairs: Pairs, items: Items, n_known: int, again: bool) -> dict[str, int]:
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
