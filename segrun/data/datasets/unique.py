"""Tables have one row per id: others are refused with the lines that they stand in."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from segrun.config import RecordsConfig
from segrun.data.datasets.lines import Lines
from segrun.data.datasets.quoting import quoted
from segrun.data.datasets.table import LINE, Table, places
from segrun.data.datasets.used import RECORD_ID
from segrun.errors import DataError

_N_SHOWN = 3


def check_one_per_id(
    table: Table, lines: Lines, config: RecordsConfig, numbered: Callable[[], Lines]
) -> None:
    """Refuse a table in which an id is missing, or comes twice.

    Parameters
    ----------
    table : Table
        The file.
    lines : Lines
        Its rows.
    config : RecordsConfig
        Where it is.
    numbered : callable
        Returns the same rows with their numbers, to say where these are.

    Raises
    ------
    DataError
        Naming ids and lines.
    """
    key = lines.values[RECORD_ID]
    found = lines.frame.group_by(key.alias("id")).len("n").collect(engine="streaming")
    twice = found.filter(pl.col("n") > 1, pl.col("id").is_not_null())
    n_nameless = int(found.filter(pl.col("id").is_null())["n"].sum())
    if n_nameless:
        first = _lines_of(numbered(), None)[:_N_SHOWN]
        raise DataError(
            f"dataset.path={config.path}: {n_nameless} rows have no {config.id}, such as "
            f"{places(table, first)}: give every row its id, or take them out"
        )
    if not twice.is_empty():
        shown = []
        for text in twice["id"].sort().head(_N_SHOWN):
            found_in = _lines_of(numbered(), text)[:_N_SHOWN]
            shown.append(f"{quoted(text)} ({places(table, found_in)})")
        raise DataError(
            f"dataset.path={config.path}: {len(twice)} ids come more than once, such as "
            f"{'; '.join(shown)}. A table has one row per {config.id}; for several rows per id, "
            "dataset=records features=aggregate"
        )


def _lines_of(lines: Lines, text: str | None) -> list[int]:
    key = lines.values[RECORD_ID]
    wanted = key.is_null() if text is None else key == text
    return lines.frame.filter(wanted).select(LINE).sort(LINE).collect()[LINE].to_list()
