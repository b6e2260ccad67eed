"""Product-level sales, generated from the seed: users of three tiers and three tastes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import ColumnKind, SyntheticSalesConfig
from segrun.datasets.generated import as_records, in_shares
from segrun.datasets.rows import Rows
from segrun.errors import ConfigError
from segrun.seeds import generator

ID = "User"
KINDS = {
    "Item": ColumnKind.text,
    "ProductGroup": ColumnKind.text,
    "Quantity": ColumnKind.number,
    "UnitPrice": ColumnKind.number,
    "Promotion": ColumnKind.text,
    "Date": ColumnKind.date,
}

GROUPS = ("Drinks", "Fresh", "Household", "Sweets")
_FIRST_DAY, _N_DAYS = datetime(2024, 1, 1), 364
_N_ITEMS = 400


@dataclass(frozen=True)
class Tier:
    """A planted level of spending: its share of the users and the mean lines of each."""

    name: str
    share: float
    lines: float
    quantity: float


@dataclass(frozen=True)
class Taste:
    """A planted taste: the share of each of `GROUPS` and of promotions in what is bought."""

    name: str
    share: float
    groups: tuple[float, ...]
    promotion: float


TIERS = (
    Tier("Low", 0.6, 6.0, 1.5),
    Tier("Medium", 0.3, 30.0, 3.0),
    Tier("High", 0.1, 120.0, 8.0),
)
TASTES = (
    Taste("fresh", 0.5, (0.1, 0.7, 0.15, 0.05), 0.1),
    Taste("snack", 0.3, (0.45, 0.05, 0.1, 0.4), 0.2),
    Taste("bargain", 0.2, (0.1, 0.1, 0.7, 0.1), 0.8),
)


def check(config: SyntheticSalesConfig) -> None:
    """Refuse a number of users that cannot be clustered.

    Raises
    ------
    ConfigError
        If there are fewer than three.
    """
    if config.n_users < 3:
        raise ConfigError(f"dataset.n_users must be at least 3. Got {config.n_users}")


def rows(config: SyntheticSalesConfig, seed: int) -> Rows:
    """Generate the sales and fingerprint their content."""
    frame, _ = generate(config.n_users, seed)
    return as_records(frame, ID, KINDS, config.name, {"n_users": config.n_users, "seed": seed})


def generate(n_users: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Generate one row per item bought, and the true kind of every user.

    Parameters
    ----------
    n_users : int
        Users that buy at least once.
    seed : int
        The experiment's seed.

    Returns
    -------
    sales : polars.DataFrame
        ``User`` and the columns of `KINDS`, ordered by date.
    truth : polars.DataFrame
        ``User``, ``tier`` and ``taste``, one row per user.
    """
    rng = generator(seed, "synthetic_sales")
    tier = in_shares([t.share for t in TIERS], n_users, rng)
    taste = in_shares([t.share for t in TASTES], n_users, rng)
    n_lines = 1 + rng.poisson(np.array([t.lines for t in TIERS])[tier])
    user = np.repeat(np.arange(n_users), n_lines)
    group = _groups(taste[user], rng)
    item = group * (_N_ITEMS // len(GROUPS)) + (100 * rng.beta(0.7, 2.0, len(user))).astype(int)
    promoted = rng.random(len(user)) < np.array([t.promotion for t in TASTES])[taste[user]]
    price = np.round(rng.lognormal(1.0, 0.4, _N_ITEMS), 2)[item]
    # A promotion takes off a fifth.
    price = np.where(promoted, np.round(0.8 * price, 2), price)
    quantity = 1 + rng.poisson(np.array([t.quantity for t in TIERS])[tier[user]])
    minute = rng.integers(0, _N_DAYS * 24 * 60, len(user))
    names = np.array([f"u{number:05d}" for number in range(n_users)])
    sales = pl.DataFrame(
        {
            ID: names[user],
            "Item": np.char.add("item ", item.astype(str)),
            "ProductGroup": np.array(GROUPS)[group],
            "Quantity": quantity.astype(np.int64),
            "UnitPrice": price,
            "Promotion": np.where(promoted, "yes", "no"),
            "Date": np.datetime64(_FIRST_DAY, "us") + minute * np.timedelta64(60_000_000, "us"),
        }
    ).sort("Date", maintain_order=True)
    truth = {
        ID: names,
        "tier": np.array([t.name for t in TIERS])[tier],
        "taste": np.array([t.name for t in TASTES])[taste],
    }
    return sales, pl.DataFrame(truth)


def _groups(taste: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the product group of every line."""
    bounds = np.cumsum([t.groups for t in TASTES], axis=1)[taste]
    drawn: NDArray[np.int64] = (rng.random((len(taste), 1)) > bounds[:, :-1]).sum(axis=1)
    return drawn
