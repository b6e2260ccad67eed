"""Product-level sales, generated from the seed: users of three tiers and three tastes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import ColumnKind, SyntheticSalesConfig
from segrun.data.datasets.generated import Block, as_records, blocks_of, in_shares
from segrun.data.datasets.rows import Rows
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


def rows(config: SyntheticSalesConfig, seed: int) -> Rows:
    """Generate the sales and fingerprint their content."""
    frame = pl.concat(frame for frame, _ in blocks(config, seed))
    factor = {"lines_factor": config.lines_factor} if config.lines_factor != 1 else {}
    about = {"n_users": config.n_users, **factor, "seed": seed}
    return as_records(frame, ID, KINDS, config.name, about)


def blocks(config: SyntheticSalesConfig, seed: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield sales and truth of block after block of users; see `generate`.

    Rows are ordered by date within a block. Whatever block they are of, items cost the same.
    """
    prices = None
    for block in blocks_of(config.n_users):
        sales, truth, prices = _block(block, seed, config.lines_factor, prices)
        yield sales, truth


def generate(n_users: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Generate one row per item bought, and the true kind of every user, in one block."""
    sales, truth, _ = _block(Block(0, 0, n_users), seed, 1.0, None)
    return sales, truth


def _block(
    block: Block, seed: int, lines_factor: float, prices: NDArray[np.float64] | None
) -> tuple[pl.DataFrame, pl.DataFrame, NDArray[np.float64]]:
    """Generate the users of a block; the items' prices are drawn unless they are given."""
    n_users = block.n
    rng = generator(seed, "synthetic_sales", block.number)
    tier = in_shares([t.share for t in TIERS], n_users, rng)
    taste = in_shares([t.share for t in TASTES], n_users, rng)
    n_lines = 1 + rng.poisson(lines_factor * np.array([t.lines for t in TIERS])[tier])
    user = np.repeat(np.arange(n_users), n_lines)
    group = _groups(taste[user], rng)
    item = group * (_N_ITEMS // len(GROUPS)) + (100 * rng.beta(0.7, 2.0, len(user))).astype(int)
    promoted = rng.random(len(user)) < np.array([t.promotion for t in TASTES])[taste[user]]
    drawn = np.round(rng.lognormal(1.0, 0.4, _N_ITEMS), 2)
    prices = drawn if prices is None else prices
    price = prices[item]
    # A promotion takes off a fifth.
    price = np.where(promoted, np.round(0.8 * price, 2), price)
    quantity = 1 + rng.poisson(np.array([t.quantity for t in TIERS])[tier[user]])
    minute = rng.integers(0, _N_DAYS * 24 * 60, len(user))
    names = pl.Series([f"u{number:05d}" for number in range(block.first, block.first + n_users)])
    sales = pl.DataFrame(
        {
            ID: names.gather(user),
            "Item": pl.Series([f"item {number}" for number in range(_N_ITEMS)]).gather(item),
            "ProductGroup": pl.Series(GROUPS).gather(group),
            "Quantity": quantity.astype(np.int64),
            "UnitPrice": price,
            "Promotion": pl.Series(["no", "yes"]).gather(promoted.astype(np.int64)),
            "Date": np.datetime64(_FIRST_DAY, "us") + minute * np.timedelta64(60_000_000, "us"),
        }
    ).sort("Date", maintain_order=True)
    truth = {
        ID: names,
        "tier": np.array([t.name for t in TIERS])[tier],
        "taste": np.array([t.name for t in TASTES])[taste],
    }
    return sales, pl.DataFrame(truth), prices


def _groups(taste: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the product group of every line."""
    bounds = np.cumsum([t.groups for t in TASTES], axis=1)[taste]
    drawn: NDArray[np.int64] = (rng.random((len(taste), 1)) > bounds[:, :-1]).sum(axis=1)
    return drawn
