"""Page views, generated from the seed: visitors of five habits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import ColumnKind, SyntheticWeblogsConfig
from segrun.data.datasets.generated import Block, as_records, blocks_of, in_shares
from segrun.data.datasets.rows import Rows
from segrun.seeds import generator

ID = "Visitor"
KINDS = {
    "Time": ColumnKind.date,
    "Page": ColumnKind.text,
    "Section": ColumnKind.text,
    "Country": ColumnKind.text,
    "Referrer": ColumnKind.text,
    "Session": ColumnKind.text,
}

_FIRST_DAY, _N_DAYS = datetime(2024, 3, 1), 91
_SECTIONS = ("blog", "docs", "shop", "jobs")
_N_PAGES = 80
_COUNTRIES = ("France", "United States", "Germany", "India", "United Kingdom")
_COUNTRY_SHARES = (0.35, 0.3, 0.15, 0.1, 0.1)
_REFERRERS = ("search", "direct", "newsletter", "social")


@dataclass(frozen=True)
class Habit:
    """A planted kind of visitor.

    `share` is of all visitors; `sessions` and `views` are means per visitor and per session, at
    least 1 of each. They choose from so many `pages` of a section; nearly all views are of one
    `section`, and most sessions come by one `referrer`.
    """

    name: str
    share: float
    sessions: float
    views: float
    pages: int
    section: str
    referrer: str


HABITS = (
    Habit("passer_by", 0.35, 1.0, 1.5, 60, "blog", "search"),
    Habit("follower", 0.20, 24.0, 1.6, 60, "blog", "newsletter"),
    Habit("developer", 0.20, 12.0, 14.0, 80, "docs", "direct"),
    Habit("shopper", 0.20, 2.5, 18.0, 40, "shop", "social"),
    Habit("robot", 0.05, 60.0, 10.0, 5, "jobs", "direct"),
)


def rows(config: SyntheticWeblogsConfig, seed: int) -> Rows:
    """Generate the page views and fingerprint their content."""
    frame = pl.concat(frame for frame, _ in blocks(config, seed))
    about = {"n_visitors": config.n_visitors, "seed": seed}
    return as_records(frame, ID, KINDS, config.name, about)


def blocks(
    config: SyntheticWeblogsConfig, seed: int
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield page views and truth of block after block of visitors; see `generate`.

    Rows are ordered by time within a block.
    """
    n_sessions = 0
    for block in blocks_of(config.n_visitors):
        views, truth, n_new = _block(block, seed, n_sessions)
        n_sessions += n_new
        yield views, truth


def generate(n_visitors: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Generate one row per page view, and the true habit of every visitor, in one block."""
    views, truth, _ = _block(Block(0, 0, n_visitors), seed, 0)
    return views, truth


def _block(block: Block, seed: int, first_session: int) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Generate the visitors of a block, and tell how many sessions they have."""
    n_visitors = block.n
    rng = generator(seed, "synthetic_weblogs", block.number)
    habit = in_shares([h.share for h in HABITS], n_visitors, rng)
    country = rng.choice(len(_COUNTRIES), n_visitors, p=_COUNTRY_SHARES)
    n_sessions = 1 + rng.poisson(_of("sessions", habit) - 1)
    visitor = np.repeat(np.arange(n_visitors), n_sessions)
    begun = rng.integers(0, _N_DAYS * 24 * 3600, len(visitor))
    # Three of four sessions come the way that the habit prefers.
    usual = np.array([_REFERRERS.index(h.referrer) for h in HABITS])[habit[visitor]]
    referrer = np.where(
        rng.random(len(visitor)) < 0.75, usual, rng.integers(0, len(_REFERRERS), len(visitor))
    )
    n_views = 1 + rng.poisson(_of("views", habit[visitor]) - 1)
    session = np.repeat(np.arange(len(visitor)), n_views)
    views = _views(habit[visitor[session]], rng)
    seconds = begun[session] + rng.integers(0, 1800, len(session))
    names = pl.Series([f"v{number:05d}" for number in range(block.first, block.first + n_visitors)])
    sessions = pl.Series(np.arange(first_session, first_session + len(visitor))).cast(pl.String)
    frame = pl.DataFrame(
        {
            ID: names.gather(visitor[session]),
            "Time": np.datetime64(_FIRST_DAY, "us") + seconds * np.timedelta64(1_000_000, "us"),
            **views,
            "Country": pl.Series(_COUNTRIES).gather(country[visitor[session]]),
            "Referrer": pl.Series(_REFERRERS).gather(referrer[session]),
            "Session": ("s" + sessions).gather(session),
        }
    ).sort("Time", maintain_order=True)
    truth = {ID: names, "habit": np.array([h.name for h in HABITS])[habit]}
    return frame, pl.DataFrame(truth), len(visitor)


def _views(habit: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Any]:
    """Draw page and section of every view; one in twenty is of any section."""
    own = np.array([_SECTIONS.index(h.section) for h in HABITS])[habit]
    strays = rng.random(len(habit)) < 1 / 20
    section = np.where(strays, rng.integers(0, len(_SECTIONS), len(habit)), own)
    n_pages = np.array([h.pages for h in HABITS])[habit]
    # The first pages of a section are viewed most.
    page = np.minimum(n_pages - 1, (n_pages * rng.beta(0.8, 2.0, len(habit))).astype(np.int64))
    names = pl.Series([f"/{s}/{p}" for s in _SECTIONS for p in range(_N_PAGES)])
    return {
        "Page": names.gather(section * _N_PAGES + page),
        "Section": pl.Series(_SECTIONS).gather(section),
    }


def _of(attribute: str, habit: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.array([getattr(h, attribute) for h in HABITS], dtype=np.float64)[habit]
