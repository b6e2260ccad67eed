"""Ratings: from (user, item, rating) triplets to one sparse row per user, one column per item."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import ColumnKind, RatingsConfig
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.features.built import Built
from segrun.features.pairs import Pairs, check_columns, items_of, read_pairs, read_titles, users_of
from segrun.features.removed import told
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items

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
