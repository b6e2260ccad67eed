"""Embedded ratings in the shape of MovieLens: users with planted tastes, from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import ColumnKind, SyntheticRatingsConfig
from segrun.data.datasets.generated import as_records
from segrun.data.datasets.rows import Rows
from segrun.seeds import generator

ID = "UserID"

#: What rows of ratings hold, besides the user.
KINDS = {
    "item": ColumnKind.text,
    "rating": ColumnKind.number,
    "time": ColumnKind.number,
    "title": ColumnKind.text,
}

GENRES = (
    "Adventure", "Animation", "Comedy", "Crime", "Documentary", "Horror", "Musical", "Romance",
    "Space", "Western",
)  # fmt: skip

#: The genres that users of a taste like: one genre, or two.
TASTES: tuple[tuple[int, ...], ...] = (
    *((genre,) for genre in range(10)),
    *((genre, (genre + 1) % 10) for genre in range(10)),
    *((genre, genre + 5) for genre in range(5)),
)

#: Titles that a page, a table or a database must not take for its own language.
_HOSTILE = (
    '<b>Dr. Strangelove</b> & "co"',
    "<script>document.title='owned'</script>",
    '=HYPERLINK("http://localhost/","click")',
    "Robert'); DROP TABLE items;--",
    "One, Two; Three\tFour",
    "Le Fabuleux Destin d'Am\u00e9lie",
    "{{ title }} ${name}",
)

#: An item that a user likes is so many times as likely to be rated.
_LIKED = 15.0
#: Mean and deviation of the ratings of what is liked, and of the rest; 1 to 5 in whole numbers.
_LIKED_RATING, _OTHER_RATING = (4.5, 0.6), (2.6, 0.9)
#: Ratings per user: median and, on the scale of logarithms, deviation; at least 20 where there are
#: so many items.
_MEDIAN, _SPREAD, _LEAST = 80.0, 0.25, 20
_FIRST_SECOND, _N_SECONDS = 874_724_710, 18_561_928


@dataclass(frozen=True)
class Generated:
    """What was generated.

    `frame` has the columns ``UserID``, ``item`` (text), ``rating`` and ``time`` (float64), by
    time; `titles` and `genres` are by item id, `tastes` such as ``Crime+Space`` by user id.
    """

    frame: pl.DataFrame
    titles: dict[str, str]
    genres: dict[str, str]
    tastes: dict[str, str]


def rows(config: SyntheticRatingsConfig, seed: int) -> Rows:
    """Generate the ratings, titles beside them."""
    made = generate(config.n_users, config.n_items, seed)
    titles = pl.DataFrame({"item": list(made.titles), "title": list(made.titles.values())})
    frame = made.frame.join(titles, on="item", how="left", maintain_order="left")
    about = {"n_users": config.n_users, "n_items": config.n_items, "seed": seed}
    return as_records(frame, ID, KINDS, "synthetic_ratings", about)


def generate(n_users: int, n_items: int, seed: int) -> Generated:
    """Generate ratings and the truth behind them.

    Users of a taste rate the items of its genres more often, and higher.
    """
    rng = generator(seed, "synthetic_ratings")
    # In equal shares, so that every taste is there among a few users, too.
    taste_of = rng.permutation(np.arange(n_users) % len(TASTES))
    genre_of = rng.permutation(np.arange(n_items) % len(GENRES))
    likes = np.array([np.isin(np.arange(len(GENRES)), taste) for taste in TASTES])
    liked = likes[taste_of][:, genre_of]
    user, item = np.nonzero(_rated(liked, rng))
    rating = _values(liked[user, item], rng.normal(0, 0.25, n_items)[item], rng)
    time = _FIRST_SECOND + rng.integers(0, _N_SECONDS, len(user))
    frame = pl.DataFrame(
        {
            ID: (user + 1).astype(str), "item": (item + 1).astype(str), "rating": rating,
            "time": time.astype(np.float64),
        }
    ).sort("time", ID, "item")  # fmt: skip
    genres = {str(i + 1): GENRES[genre] for i, genre in enumerate(genre_of)}
    tastes = {
        str(u + 1): "+".join(GENRES[genre] for genre in TASTES[taste])
        for u, taste in enumerate(taste_of)
    }
    return Generated(frame, _titles(genres, rng), genres, tastes)


def _rated(liked: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw who rates what: items without replacement, by popularity and taste."""
    n_users, n_items = liked.shape
    popularity = rng.gamma(1.5, 1 / 1.5, n_items) + 0.2
    wanted = _MEDIAN * n_items / 400 * rng.lognormal(0, _SPREAD, n_users)
    n_rated = np.clip(wanted.astype(np.int64), min(_LEAST, n_items), n_items)
    # The largest of log weight + Gumbel noise are such a draw.
    keys = np.log(popularity * np.where(liked, _LIKED, 1.0)) + rng.gumbel(size=liked.shape)
    rank = np.argsort(np.argsort(-keys, axis=1), axis=1)
    found: NDArray[np.bool_] = rank < n_rated[:, None]
    return found


def _values(
    liked: NDArray[np.bool_], quality: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    mean, deviation = np.where(liked[:, None], _LIKED_RATING, _OTHER_RATING).T
    wanted: NDArray[np.float64] = mean + quality + deviation * rng.normal(size=len(liked))
    return np.rint(wanted).clip(1.0, 5.0)


def _titles(genres: dict[str, str], rng: np.random.Generator) -> dict[str, str]:
    years = rng.integers(1931, 1999, len(genres))
    titles: dict[str, Any] = {}
    number = dict.fromkeys(GENRES, 0)
    for (item, genre), year in zip(genres.items(), years, strict=True):
        number[genre] += 1
        titles[item] = f"{genre} {number[genre]} ({year})"
    for item, title in zip(titles, _HOSTILE, strict=False):
        titles[item] = f"{title} ({genres[item]})"
    return titles
