"""Dates that a sheet has as bare serial numbers, for want of a date format."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from segrun.data.datasets.epochs import n_plausible, to_moment


def system_of(path: Path) -> str:
    """Return which days a workbook counts: excel_1904 where it says so, as on old Macs."""
    try:
        with zipfile.ZipFile(path) as book:
            about = book.read("xl/workbook.xml")
    except (zipfile.BadZipFile, KeyError):
        about = b""
    told = re.search(rb"<(?:\w+:)?workbookPr\b[^>]*\bdate1904=[\"'](?:1|true)[\"']", about)
    return "excel_1904" if told else "excel_1900"


def with_dates(texts: pl.Series, missing: Sequence[str], system: str) -> pl.Series | None:
    """Return a column with its serial numbers as ISO dates, as Excel's own dates stand in it.

    None where it has no number, or one that is no plausible date.
    """
    text = texts.to_frame("text").with_columns(pl.col("text").str.strip_chars())["text"]
    number = text.cast(pl.Float64, strict=False).is_not_null() & ~text.is_in(list(missing))
    numbers = text.filter(number)
    if numbers.is_empty() or n_plausible(numbers, system) < len(numbers):
        return None
    # Excel rounds to milliseconds.
    date = to_moment(pl.col("text"), system).dt.strftime("%Y-%m-%d %H:%M:%S%.3f")
    date = date.str.replace(r"\.000$", "")
    given = pl.DataFrame({"text": text, "given": texts, "number": number})
    found = given.select(pl.when("number").then(date).otherwise("given"))
    return found.to_series().alias(texts.name)
