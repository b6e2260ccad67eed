"""Files of ratings: MovieLens in its forms, and anybody's, with or without a header."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from segrun.config import Header, RatingsFileConfig
from segrun.data.datasets.csvfile import CsvTable
from segrun.data.datasets.quoting import clipped, listed
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import Table
from segrun.data.datasets.textfile import as_utf8, unwritable
from segrun.errors import DataError
from segrun.nearest import did_you_mean

#: MovieLens before 2014; no letter that polars can take for a separator.
_DOUBLE = "::"

_NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?")

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


def open_text(config: RatingsFileConfig, source: Source, folder: Path) -> Table:
    """Open a text file of ratings, or of items.

    Parameters
    ----------
    config : RatingsFileConfig
        How it is read; `path` is its name in messages.
    source : Source
        The file.
    folder : Path
        Folder for temporary copies, its own.

    Raises
    ------
    DataError
        If it cannot be read.
    StoreError
        If the copies cannot be written.
    """
    separator = config.separator
    plain = text = as_utf8(source, config.encoding, folder)
    if separator == _DOUBLE or (separator == "auto" and _DOUBLE in _first_line(plain.path)):
        text = replace(plain, path=_tabbed(plain.path, folder))
        separator = "\t"
    table = CsvTable(text, config.path, separator, folder)
    if not _has_header(config.header, table.names):
        table = table.without_header()
    table.facts = {"encoding": plain.encoding}
    return table


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

    Raises
    ------
    DataError
        If a column is not there, there twice, or must be named.
    """
    known = _KNOWN_ITEMS if "title" in given else _KNOWN
    by_place = table.names == [str(number) for number in range(1, len(table.names) + 1)]
    found: dict[str, str] = {}
    for place, (role, name) in enumerate(given.items()):
        if name is not None:
            found[role] = _named(name, role, table.names, config, key)
        elif by_place and place < len(table.names):
            found[role] = table.names[place]
        elif not by_place:
            column = _known(known[role], table.names)
            found |= {} if column is None else {role: column}
    lacking = [role for role in given if role in _NEEDED and role not in found]
    if lacking:
        raise DataError(
            f"dataset.path={config.path}: which column holds the {' and the '.join(lacking)}? "
            f"Its columns: {listed(table.names)}. Say it: "
            f"'{key}={{{', '.join(f'{role}: COLUMN' for role in lacking)}}}'"
            + ("" if by_place else ", or dataset.header=absent if the first line is one of data")
        )
    return found


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        return next((line for line in file if line.strip()), "")


def _has_header(asked: Header, names: Sequence[str]) -> bool:
    if asked is not Header.auto:
        return asked is Header.present
    # No column is called 196.
    return not any(_NUMBER.fullmatch(name) for name in names)


def _tabbed(path: Path, folder: Path) -> Path:
    copy = folder / "tabbed.csv"
    try:
        with path.open("rb") as file, copy.open("wb") as out:
            out.writelines(map(_with_tabs, file))
    except OSError as error:
        raise unwritable(folder, error) from error
    return copy


def _with_tabs(line: bytes) -> bytes:
    # Quotes mean nothing in such files: titles begin with them.
    if b'"' in line or b"\t" in line:
        fields = line.rstrip(b"\r\n").replace(b'"', b'""').split(b"::")
        return b"\t".join(b'"%s"' % field for field in fields) + b"\n"
    return line.replace(b"::", b"\t")


def _named(name: str, role: str, names: Sequence[str], config: RatingsFileConfig, key: str) -> str:
    if names.count(name) == 1:
        return name
    said = "more than once" if name in names else "not there"
    raise DataError(
        f"{key}.{role}={clipped(name)}: {said} in dataset.path={config.path}."
        f"{did_you_mean(name, names)} Its columns: {listed(names)}"
    )


def _known(wanted: Sequence[str], names: Sequence[str]) -> str | None:
    plain = [re.sub(r"[\W_]", "", name).lower() for name in names]
    return next((names[plain.index(word)] for word in wanted if plain.count(word) == 1), None)
