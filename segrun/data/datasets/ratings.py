"""Ratings from a file: opened, its columns found, read as numbers, titles beside the items."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import narwhals as nw
import polars as pl

from segrun.config import BadLines, ColumnKind, Copies, Header, RatingsFileConfig
from segrun.data.datasets.account import id_facts
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.lines import Lines, read_lines
from segrun.data.datasets.opening import open_source
from segrun.data.datasets.policy import sort_out
from segrun.data.datasets.readings import NUMBERS, find_readings, with_raw
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.source import Source, find
from segrun.data.datasets.table import POLARS_ERRORS, Table
from segrun.data.datasets.triplets import find_columns
from segrun.errors import ConfigError, DataError

log = logging.getLogger("segrun.data.datasets")

USER = "user"
ID_COLUMN = "UserID"

#: Roles of a file of ratings as the reader of transactions calls them.
_ROLES = {"user": "customer", "item": "item", "rating": "price", "time": "quantity"}
_KINDS = {"item": ColumnKind.text, "rating": ColumnKind.number, "time": ColumnKind.number}

#: Columns of results.
_TAKEN = ("label", "replica", "segment", "name", "Ratings", "MeanRating")


def check(config: RatingsFileConfig) -> None:
    """Refuse columns that contradict each other, and copies that the features see to.

    Raises
    ------
    ConfigError
        If one column is to hold two things.
    """
    if config.duplicates is Copies.drop:
        raise ConfigError(
            "dataset.duplicates=drop: of ratings features.duplicates decides (refuse, last or mean)"
        )
    given = {role: name for role, name in asdict(config.columns).items() if name is not None}
    for role, name in given.items():
        twin = next((other for other in given if other < role and given[other] == name), None)
        if twin is not None:
            raise ConfigError(
                f"dataset.columns: {twin} and {role} are both {name!r}: give each its own"
            )


def read(config: RatingsFileConfig, source: Source, folder: Path) -> Rows:
    """Read a file of ratings.

    Parameters
    ----------
    config : RatingsFileConfig
        The file, how it is read and what its columns hold.
    source : Source
        The file.
    folder : Path
        Folder for the copies that this needs.

    Raises
    ------
    DataError
        If it cannot be read.
    StoreError
        If the copies cannot be written.
    """
    table = open_source(config, source, folder)
    found = find_columns(asdict(config.columns), table, config, "dataset.columns")
    mapped = Mapped({_ROLES[role]: name for role, name in found.items()}, _id_name(found, table))
    table.check_used(mapped.columns.values())
    used = [mapped.columns[role] for role in mapped.roles(*NUMBERS)]
    table.hold_numbers(used, config.decimal, config.missing)
    frame, facts, quarantine = _triplets(config, table, mapped, folder)
    kinds = {role: kind for role, kind in _KINDS.items() if role in found}
    fingerprint = {
        "source": config.name, "path": config.path, **source.identity, **table.facts,
    }  # fmt: skip
    if config.items.path is not None:
        titles, own = _titles(config, folder)
        frame = frame.join(titles.lazy(), on="item", how="left", maintain_order="left")
        kinds, fingerprint = {**kinds, "title": ColumnKind.text}, {**fingerprint, "items": own}
    return Rows(nw.from_native(frame), USER, mapped.id_name, kinds, fingerprint, facts, quarantine)


def _id_name(found: Mapping[str, str], table: Table) -> str:
    name = found["user"]
    return ID_COLUMN if name.isdigit() or name in _TAKEN or not table.names else name


def _triplets(
    config: RatingsFileConfig, table: Table, mapped: Mapped, folder: Path
) -> tuple[pl.LazyFrame, dict[str, object], Path | None]:
    """Return the lines that can be read, what became of the others, and where these are."""

    def lines(rows: pl.LazyFrame) -> Lines:
        return read_lines(rows, mapped, readings, whole_quantities=False)

    def numbered() -> pl.LazyFrame:
        return with_raw(table.numbered(), mapped, config)

    refuse = config.bad_lines is BadLines.refuse
    rows = _kept(with_raw(table.frame(), mapped, config) if refuse else numbered(), table)
    readings = find_readings(table, rows, mapped, config)
    read = lines(rows)
    read = replace(read, frame=_kept(read.frame, table))
    kept = sort_out(table, read, config, folder, lambda: lines(numbered()))
    n_bad = sum(kept.n_bad.values())
    how = ", ".join(str(fact) for fact in table.facts.values())
    log.info("%s: %d lines read (%s)", config.path, readings.n_lines, how)
    if n_bad:
        where = ", kept in quarantine.csv" if kept.quarantine else ""
        log.warning("%d bad lines left out%s", n_bad, where)
    own = {role: kept.lines.values[known] for role, known in _ROLES.items() if known in read.values}
    id_type = table.type_of(mapped.columns[mapped.id_role])
    facts = {
        "n_read": readings.n_lines, "n_bad": dict(kept.n_bad), **id_facts(id_type, readings),
    }  # fmt: skip
    return kept.lines.frame.select(**own), facts, kept.quarantine


def _kept(rows: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    if not table.small:
        return rows
    try:
        return rows.collect(engine="streaming").lazy()
    except POLARS_ERRORS as error:
        raise table.explain(error) from error


def _titles(config: RatingsFileConfig, folder: Path) -> tuple[pl.DataFrame, dict[str, object]]:
    """Return the title of every item, and what identifies their file."""
    path = config.items.path
    assert path is not None
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
