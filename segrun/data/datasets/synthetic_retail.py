"""The embedded default: a retailer in the shape of the UCI data, generated from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import SyntheticRetailConfig
from segrun.data.datasets.generated import Block, blocks_of, digest_of
from segrun.data.datasets.rows import ID_COLUMN, TRANSACTION_KINDS, Rows, invoice_lines
from segrun.seeds import generator

#: None: the id is called as in the UCI data.
ID, KINDS = None, TRANSACTION_KINDS

FIRST_DAY, LAST_DAY = date(2010, 12, 1), date(2011, 12, 9)

#: UCI's retailer is closed on Saturdays and over Christmas.
_HOLIDAYS = (date(2010, 12, 24), date(2011, 1, 3))

#: Relative trade per weekday, Monday first; and per month, January first (autumn peak).
_WEEKDAY_TRADE = np.array([0.9, 1.0, 1.0, 1.25, 0.8, 0.0, 0.65])
_MONTH_TRADE = np.array([0.7, 0.7, 0.9, 0.85, 0.95, 0.9, 0.9, 0.9, 1.3, 1.5, 2.0, 1.4])

_N_ITEMS = 3500
_FIRST_INVOICE = 536_365
_COUNTRIES = ("United Kingdom", "Germany", "France", "EIRE", "Spain", "Netherlands", "Belgium")
_COUNTRY_SHARES = (0.90, 0.025, 0.025, 0.02, 0.01, 0.01, 0.01)

#: Share of all lines that no customer is known for, as in the UCI data; of those without text.
_GUEST_SHARE, _UNTITLED_SHARE = 0.25, 0.01
_CANCELLED_SHARE = 0.02


@dataclass(frozen=True)
class CustomerType:
    """A planted kind of customer.

    `share` is of all customers; `orders` and `lines` are means per customer and per order, at
    least 1 of each; `quantity` is the median of pieces per line; they buy in `months`, 1 to 12.
    """

    name: str
    share: float
    orders: float
    lines: float
    quantity: float
    months: tuple[int, ...]


@dataclass(frozen=True)
class _Shop:
    """What blocks of customers have in common: code, title and price of items, the invoices."""

    catalogue: tuple[pl.Series, pl.Series, pl.Series]
    next_invoice: int


ALL_YEAR = tuple(range(1, 13))
TYPES = (
    CustomerType("wholesaler", 0.07, 14.0, 30.0, 24.0, ALL_YEAR),
    CustomerType("regular", 0.30, 6.0, 18.0, 6.0, ALL_YEAR),
    CustomerType("gift_season", 0.20, 2.0, 20.0, 4.0, (10, 11, 12)),
    CustomerType("one_timer", 0.28, 1.0, 10.0, 3.0, ALL_YEAR),
    CustomerType("lapsed", 0.15, 2.0, 12.0, 8.0, (1, 2, 3)),
)


def rows(config: SyntheticRetailConfig, seed: int) -> Rows:
    """Generate the transactions and fingerprint their content."""
    frame = pl.concat(frame for frame, _ in blocks(config, seed))
    fingerprint = {
        "source": "synthetic_retail",
        "n_customers": config.n_customers,
        **({"contrast": config.contrast} if config.contrast != 1 else {}),
        "seed": seed,
        "n_lines": len(frame),
        "sha256": digest_of(frame),
    }
    return invoice_lines(nw.from_native(frame.lazy()), ID_COLUMN, fingerprint)


def blocks(config: SyntheticRetailConfig, seed: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield lines and truth of block after block of customers; see `generate`.

    Rows are ordered by date within a block, as are its invoices' numbers, which run on through
    the blocks. Whatever block they are of, items are called and cost the same.
    """
    shop = None
    for block in blocks_of(config.n_customers):
        lines, truth, shop = _block(block, seed, config.contrast, shop)
        yield lines, truth


def generate(
    n_customers: int, seed: int, contrast: float = 1.0
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Generate invoice lines and the true type of every customer, in one block."""
    lines, truth, _ = _block(Block(0, 0, n_customers), seed, contrast, None)
    return lines, truth


def _block(
    block: Block, seed: int, contrast: float, shop: _Shop | None
) -> tuple[pl.DataFrame, pl.DataFrame, _Shop]:
    """Generate the customers of a block, and tell what the next one needs of the shop."""
    n_customers = block.n
    rng = generator(seed, "synthetic_retail", block.number)
    # In exact shares, so that every type is there among a few customers, too.
    places = (np.arange(n_customers) + 0.5) / n_customers
    type_of = rng.permutation(np.searchsorted(np.cumsum([t.share for t in TYPES])[:-1], places))
    country_of = rng.choice(len(_COUNTRIES), n_customers, p=_COUNTRY_SHARES)
    least = 12_346 + 2 * block.first
    ids = np.sort(rng.choice(np.arange(least, least + 2 * n_customers), n_customers, False))

    orders = _orders(type_of, rng, contrast)
    lines = _lines(orders, rng, contrast)
    lines = pl.concat([lines, _cancellations(lines, rng), _guests(len(lines), rng)])
    truth = pl.DataFrame(
        {ID_COLUMN: ids.astype(str), "type": np.array([t.name for t in TYPES])[type_of]}
    )
    catalogue = _catalogue(rng)
    shop = _Shop(catalogue, _FIRST_INVOICE) if shop is None else shop
    finished, n_invoices = _finish(lines, ids, country_of, shop, rng)
    return finished, truth, _Shop(shop.catalogue, shop.next_invoice + n_invoices)


def _days() -> pl.DataFrame:
    """Return the days of trade with month and weight."""
    days = pl.DataFrame({"day": pl.date_range(FIRST_DAY, LAST_DAY, eager=True)}).filter(
        pl.col("day").dt.weekday() != 6, ~pl.col("day").is_between(*_HOLIDAYS)
    )
    month, weekday = days["day"].dt.month().to_numpy(), days["day"].dt.weekday().to_numpy()
    trade = _WEEKDAY_TRADE[weekday - 1] * _MONTH_TRADE[month - 1]
    return days.with_columns(month=pl.Series(month), trade=pl.Series(trade))


def _draw_days(n: int, months: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    days = _days()
    weights = days["trade"].to_numpy() * np.isin(days["month"].to_numpy(), months)
    return rng.choice(len(days), n, p=weights / weights.sum())


def _orders(
    type_of: NDArray[np.int64], rng: np.random.Generator, contrast: float
) -> dict[str, NDArray[Any]]:
    """Draw customer, type and day of every order; each customer has one at least."""
    means = np.array([1 + (t.orders - 1) * contrast for t in TYPES])[type_of]
    # Poisson of a gamma: some customers of a type buy far more often than others.
    n_orders = 1 + rng.poisson((means - 1) * rng.gamma(1.5, 1 / 1.5, len(means)) ** (1 / contrast))
    customer = np.repeat(np.arange(len(type_of)), n_orders)
    kind = type_of[customer]
    day = np.empty(len(customer), dtype=np.int64)
    for number, t in enumerate(TYPES):
        chosen = kind == number
        day[chosen] = _draw_days(int(chosen.sum()), t.months, rng)
    return {"customer": customer, "type": kind, "day": day}


def _lines(
    orders: dict[str, NDArray[Any]], rng: np.random.Generator, contrast: float
) -> pl.DataFrame:
    """Every line of every order: order number, customer, day, minute, item, quantity."""
    means = np.array([t.lines for t in TYPES])[orders["type"]]
    n_lines = 1 + rng.poisson((means - 1) * rng.gamma(2.0, 0.5, len(means)) ** (1 / contrast))
    order = np.repeat(np.arange(len(n_lines)), n_lines)
    median = np.array([t.quantity for t in TYPES])[orders["type"][order]]
    quantity = np.maximum(1, np.rint(median * rng.lognormal(0, 0.8, len(order)))).astype(np.int64)
    return _frame(order, orders["customer"][order], orders["day"][order], quantity, rng)


def _frame(
    order: NDArray[np.int64],
    customer: NDArray[np.int64],
    day: NDArray[np.int64],
    quantity: NDArray[np.int64],
    rng: np.random.Generator,
) -> pl.DataFrame:
    minute = rng.triangular(7 * 60, 12.5 * 60, 19 * 60, int(order.max()) + 1).astype(np.int64)
    # Zipf-like: a few items are in every basket.
    item = np.minimum(_N_ITEMS - 1, (_N_ITEMS * rng.beta(0.6, 2.5, len(order))).astype(np.int64))
    return pl.DataFrame(
        {
            "order": order, "customer": customer, "day": day, "minute": minute[order],
            "item": item, "quantity": quantity, "cancelled": np.zeros(len(order), dtype=bool),
        }
    )  # fmt: skip


def _cancellations(lines: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Let some lines come back up to a month later, as C invoices of negative quantity."""
    returned = lines.filter(pl.Series(rng.random(len(lines)) < _CANCELLED_SHARE))
    n_orders = int(lines["order"].to_numpy().max()) + 1
    later = n_orders + returned["order"]
    delay = pl.Series(rng.integers(0, 26, n_orders))
    return returned.with_columns(
        order=later,
        day=(pl.col("day") + delay.gather(returned["order"])).clip(upper_bound=len(_days()) - 1),
        quantity=-pl.col("quantity"),
        cancelled=pl.lit(value=True),
    )


def _guests(n_known: int, rng: np.random.Generator) -> pl.DataFrame:
    """Draw orders that no customer is known for: customer -1."""
    n_lines = max(1, round(n_known * _GUEST_SHARE / (1 - _GUEST_SHARE)))
    # Numbers beyond those of known orders and their cancellations.
    order = np.sort(rng.integers(0, max(1, n_lines // 40), n_lines))
    day = _draw_days(int(order.max()) + 1, ALL_YEAR, rng)[order]
    quantity = np.maximum(1, np.rint(2 * rng.lognormal(0, 0.8, n_lines))).astype(np.int64)
    frame = _frame(order, np.full(n_lines, -1), day, quantity, rng)
    return frame.with_columns(order=pl.col("order") + 10 * n_known)


def _finish(
    lines: pl.DataFrame,
    ids: NDArray[np.int64],
    country_of: NDArray[np.int64],
    shop: _Shop,
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, int]:
    """Put names and dates to the numbers, in the columns and the order of the UCI data."""
    code, title, price = shop.catalogue
    known = pl.col("customer") >= 0
    untitled = pl.Series(rng.random(len(lines)) < _UNTITLED_SHARE)
    guest = pl.Series(np.append(ids.astype(str), [""]))
    country = pl.Series(np.append(np.array(_COUNTRIES)[country_of], [_COUNTRIES[0]]))
    days = _days()["day"].cast(pl.Datetime("us"))
    lines = lines.with_columns(
        place=pl.when(known).then(pl.col("customer")).otherwise(len(ids)),
        InvoiceDate=days.gather(lines["day"]) + pl.duration(minutes=pl.col("minute")),
    ).sort("InvoiceDate", "order", maintain_order=True)
    number = (shop.next_invoice + pl.col("order").rle_id()).cast(pl.String)
    nameless = ~known & untitled
    finished = lines.select(
        InvoiceNo=pl.when("cancelled").then("C" + number).otherwise(number),
        StockCode=code.gather(lines["item"]),
        Description=pl.when(nameless).then(None).otherwise(title.gather(lines["item"])),
        Quantity="quantity",
        InvoiceDate="InvoiceDate",
        UnitPrice=pl.when(nameless).then(0.0).otherwise(price.gather(lines["item"])),
        CustomerID=pl.when(known).then(guest.gather(lines["place"])).otherwise(None),
        Country=country.gather(lines["place"]),
    )
    return finished, int(lines["order"].rle_id().to_numpy()[-1]) + 1


def _catalogue(rng: np.random.Generator) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Stock code, description and unit price of every item; the popular ones come first."""
    words = (
        "WHITE RED BLUE VINTAGE RETRO WOODEN GLASS PAPER SMALL LARGE".split(),
        "HEART STAR BIRD ROSE LACE POLKADOT CHRISTMAS GARDEN KITCHEN".split(),
        "LANTERN MUG BAG CLOCK FRAME CANDLE BOWL SIGN CUSHION TIN".split(),
    )
    numbers = np.arange(_N_ITEMS)
    suffix = np.where(numbers % 9 == 0, "A", "")
    code = np.char.add((20_000 + rng.permutation(_N_ITEMS)).astype(str), suffix)
    parts = [
        np.array(w)[numbers // step % len(w)] for w, step in zip(words, (1, 10, 90), strict=True)
    ]
    title = [" ".join(p) + f" {n // 900 + 1}" for n, p in enumerate(zip(*parts, strict=True))]
    price = np.maximum(0.08, np.round(rng.lognormal(0.75, 0.85, _N_ITEMS), 2))
    return pl.Series(code), pl.Series(title), pl.Series(price)
