"""The sparse matrix of users and items, from one value per pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import Centre
from segrun.errors import DataError
from segrun.features.pairs import Pairs
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns


@dataclass(frozen=True)
class Users:
    """Users, ordered by id as text.

    Attributes
    ----------
    customers : Customers
        Their values, sparse.
    n_rated : ndarray of int64, shape (n_users,)
        Number of ratings of each.
    means : ndarray of float64, shape (n_users,)
        Mean of these, before centring.
    """

    customers: Customers
    n_rated: NDArray[np.int64]
    means: NDArray[np.float64]


def items_of(pairs: Pairs, titles: Mapping[str, str], least: int) -> Items:
    """Return the items with at least so many ratings, ordered by id as text.

    Raises
    ------
    DataError
        If there is none.
    """
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
    """Return every user who has rated one of the items.

    Parameters
    ----------
    pairs : Pairs
        What users gave items.
    items : Items
        The columns; ratings of others do not count.
    centre : Centre
        What is taken off every rating.
    id_column : str
        What results call the user id.
    """
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
