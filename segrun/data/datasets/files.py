"""Files of rows: settings that can be, and copies that last as long as the reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import (
    CacheConfig,
    FileConfig,
)
from segrun.data.datasets import large, sql
from segrun.data.datasets.dates import EPOCHS, parse
from segrun.data.datasets.large import LargeFile
from segrun.data.datasets.opening import find_source, temporary_folder
from segrun.data.datasets.read import read
from segrun.data.datasets.rows import Rows
from segrun.data.datasets.source import Source
from segrun.errors import ConfigError


def check(config: FileConfig, separators: Collection[str] = ()) -> None:
    """Refuse settings that no file can satisfy.

    Parameters
    ----------
    config : FileConfig
        The settings.
    separators : collection of str
        What may stand between two fields besides one letter.

    Raises
    ------
    ConfigError
        If Python does not know the encoding, the separator is no letter, the date format is
        none, or dates would have a time zone.
    """
    if not config.path.strip():
        raise ConfigError("dataset.path is empty: name the file, dataset.path=FILE")
    sql.check(config)
    _check_text(config, separators)
    if config.date_format is not None:
        _check_date_format(config.date_format)


def _check_text(config: FileConfig, separators: Collection[str]) -> None:
    if config.encoding != "auto":
        try:
            "x".encode(config.encoding)
        except (LookupError, ValueError):
            raise ConfigError(
                f"dataset.encoding={config.encoding!r} is unknown: use auto, utf-8, iso-8859-1, "
                "cp1252 or another of Python's names"
            ) from None
    if config.separator not in ("auto", *separators) and (
        len(config.separator.encode()) != 1 or config.separator in '"\r\n'
    ):
        raise ConfigError(
            f"dataset.separator={config.separator!r} must be auto or one letter, such as ';' or "
            "a tab"
        )


def _check_date_format(date_format: str) -> None:
    if re.search(r"%[:#]*[zZ+]", date_format):
        raise ConfigError(
            f"dataset.date_format={date_format!r} reads a time zone, but weekdays and "
            "months are those of the shop: give dates in its local time"
        )
    if "%" not in date_format and date_format not in EPOCHS:
        raise ConfigError(
            f"dataset.date_format={date_format!r} is no format: write it as '%m/%d/%Y %H:%M', or "
            f"as one of the numbers that stand for dates: {', '.join(EPOCHS)}; null lets segrun "
            "find it"
        )
    try:
        parse(pl.Series(["12/1/2010 8:26"]), date_format)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"dataset.date_format={date_format!r} is no format: {str(error).splitlines()[0]}. "
            "Write it as '%m/%d/%Y %H:%M'; null lets segrun find it"
        ) from error


@contextmanager
def open_file(
    config: FileConfig,
    cache: Path,
    settings: CacheConfig,
    own_reader: Callable[[Any, Source, Path], Rows] | None = None,
) -> Iterator[Rows]:
    """Open a file; copies that this needs, in the folder `cache`, last as long as the context."""
    with temporary_folder(cache) as folder:
        source = find_source(config, folder)
        if own_reader is not None:
            yield own_reader(config, source, folder)
            return
        with large.opened(LargeFile(config, source, cache, folder, settings)) as found:
            yield found if isinstance(found, Rows) else read(config, source, folder, found)
