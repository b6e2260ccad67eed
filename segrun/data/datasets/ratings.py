"""Ratings from a file: MovieLens in its forms, and anybody's; titles beside the items."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import narwhals as nw
import polars as pl

from segrun.config import ColumnKind, Copies, Header, RatingsFileConfig
from segrun.data.datasets.account import id_facts
from segrun.data.datasets.columns import Mapped, bare_name, check_once, check_twins
from segrun.data.datasets.opening import open_source
from segrun.data.datasets.quoting import clipped, listed
from segrun.data.datasets.read import read_strictly
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.source import Source, find
from segrun.data.datasets.table import POLARS_ERRORS, Table
from segrun.errors import ConfigError, DataError

log = logging.getLogger("segrun.data.datasets")

USER = "user"
ID_COLUMN = "UserID"

#: Roles of a file of ratings as the reader of transactions calls them.
_ROLES = {"user": "customer", "item": "item", "rating": "price", "time": "quantity"}
_KINDS = {"item": ColumnKind.text, "rating": ColumnKind.number, "time": ColumnKind.number}

#: Columns of results.
_TAKEN = ("label", "replica", "segment", "name", "Ratings", "MeanRating")

#: Names by which columns are known, small letters alone; and, without a header, their places.
_KNOWN = {
    "user": ("user", "userid", "customerid", "reader"),
    "item": ("item", "itemid", "movie", "movieid", "product", "productid", "isbn"),
    "rating": ("rating", "stars", "score"),
    "time": ("time", "timestamp"),
}
_KNOWN_ITEMS = {
    "item": ("item", "itemid", "movie", "movieid", "product", "productid", "isbn", "id"),
    "title": ("title", "name", "movietitle"),
}
_NEEDED = {"user", "item", "title"}


def check(config: RatingsFileConfig) -> None:
    """Refuse columns that contradict each other, and copies that the features see to."""
    if config.duplicates is Copies.drop:
        raise ConfigError(
            "dataset.duplicates=drop: of ratings features.duplicates decides (refuse, last or mean)"
        )
    check_twins({role: name for role, name in asdict(config.columns).items() if name is not None})


def read(config: RatingsFileConfig, source: Source, folder: Path) -> Rows:
    """Read a file of ratings; `folder` takes the copies that this needs."""
    table = open_source(config, source, folder)
    found = find_columns(asdict(config.columns), table, config, "dataset.columns")
    user = found["user"]
    id_name = ID_COLUMN if user.isdigit() or user in _TAKEN or not table.names else user
    mapped = Mapped({_ROLES[role]: name for role, name in found.items()}, id_name)
    detected, kept = read_strictly(config, table, mapped, folder)
    readings, values = detected.readings, kept.lines.values
    how = ", ".join(str(fact) for fact in table.facts.values())
    log.info("%s: %d lines read (%s)", config.path, readings.n_lines, how)
    if n_bad := sum(kept.n_bad.values()):
        where = ", kept in quarantine.csv" if kept.quarantine else ""
        log.warning("%d bad lines left out%s", n_bad, where)
    frame = kept.lines.frame.select(**{role: values[_ROLES[role]] for role in found})
    facts = {
        "n_read": readings.n_lines, "n_bad": dict(kept.n_bad),
        **id_facts(table.type_of(user), readings),
    }  # fmt: skip
    kinds = {role: kind for role, kind in _KINDS.items() if role in found}
    fingerprint = {
        "source": config.name, "path": config.path, **source.identity, **table.facts,
    }  # fmt: skip
    if config.items.path is not None:
        titles, own = _titles(config, config.items.path, folder)
        frame = frame.join(titles.lazy(), on="item", how="left", maintain_order="left")
        kinds, fingerprint = {**kinds, "title": ColumnKind.text}, {**fingerprint, "items": own}
    return Rows(nw.from_native(frame), USER, id_name, kinds, fingerprint, facts, kept.quarantine)


def _titles(
    config: RatingsFileConfig, path: str, folder: Path
) -> tuple[pl.DataFrame, dict[str, object]]:
    """Return the title of every item, and what identifies their file."""
    # Of the ratings, the rest is said.
    own = replace(config, path=path, encoding="auto", separator="auto", header=Header.auto)
    try:
        source = find(path)
        inner = folder / "items"
        inner.mkdir()
        table = open_source(own, source, inner)
        given = {"item": config.items.item, "title": config.items.title}
        columns = find_columns(given, table, own, "dataset.items")
        frame = table.frame().select(
            pl.col(columns["item"]).cast(pl.String).str.strip_chars().alias("item"),
            pl.col(columns["title"]).cast(pl.String).alias("title"),
        )
        try:
            titles = frame.drop_nulls().unique("item", keep="first", maintain_order=True).collect()
        except POLARS_ERRORS as error:
            raise table.explain(error) from error
    except DataError as error:
        # What is said of a file is said of the other one as a rule.
        raise DataError(str(error).replace("dataset.path=", "dataset.items.path=")) from error
    return titles, {"path": path, "sha256": source.sha256}


def find_columns(
    given: Mapping[str, str | None], table: Table, config: RatingsFileConfig, key: str
) -> dict[str, str]:
    """Return which column of a file holds what.

    Parameters
    ----------
    given : mapping of str to str or None
        What the configuration says, by role; None: to be found by name, or by place where the
        file has no header.
    table : Table
        The file.
    config : RatingsFileConfig
        Its name in messages, and what it says of the header.
    key : {"dataset.columns", "dataset.items"}
        Where the user can say more.
    """
    known = _KNOWN_ITEMS if "title" in given else _KNOWN
    by_place = table.names == [str(number) for number in range(1, len(table.names) + 1)]
    found: dict[str, str] = {}
    for place, (role, name) in enumerate(given.items()):
        if name is not None:
            check_once(name, table.names, f"{key}.{role}={clipped(name)}:", config.path)
            found[role] = name
        elif by_place and place < len(table.names):
            found[role] = table.names[place]
        elif not by_place and (column := _known(known[role], table.names)) is not None:
            found[role] = column
    lacking = [role for role in given if role in _NEEDED and role not in found]
    if lacking:
        raise DataError(
            f"dataset.path={config.path}: which column holds the {' and the '.join(lacking)}? "
            f"Its columns: {listed(table.names)}. Say it: "
            f"'{key}={{{', '.join(f'{role}: COLUMN' for role in lacking)}}}'"
            + ("" if by_place else ", or dataset.header=absent if the first line is one of data")
        )
    return found


def _known(words: Sequence[str], names: Sequence[str]) -> str | None:
    plain = [bare_name(name) for name in names]
    return next((names[plain.index(word)] for word in words if plain.count(word) == 1), None)
