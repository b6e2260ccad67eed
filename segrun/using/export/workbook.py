"""Excel files: every text is written as text, so that none is a formula or a link."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from segrun.errors import StoreError

#: What a sheet and a cell hold.
MAX_ROWS, MAX_COLUMNS, MAX_LETTERS = 1_048_576, 16_384, 32_767

#: Above it, a cell loses the last digits of a whole number.
_LARGEST_WHOLE = 2**53

_BATCH = 10_000


def write_workbook(path: Path, frame: pl.DataFrame, name: str) -> None:
    """Write a frame as the only sheet of a workbook.

    Parameters
    ----------
    path : Path
        File to write.
    frame : DataFrame
        The rows.
    name : str
        What the user calls the file, for messages.

    Raises
    ------
    StoreError
        If a sheet cannot hold it.
    OSError
        If the file cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    _check_size(frame, name)
    frame = _writable(frame)
    options = {
        "constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss",
        "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    try:
        with xlsxwriter.Workbook(path, options) as book:
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            for column, title in enumerate(frame.columns):
                sheet.write_string(0, column, title)
            writers = [_writer(sheet, kind) for kind in frame.dtypes]
            row = 0
            for batch in frame.iter_slices(_BATCH):
                for values in batch.iter_rows():
                    row += 1
                    for column, value in enumerate(values):
                        if value is not None:
                            writers[column](row, column, value)
    except FileCreateError as error:
        cause = error.args[0] if error.args else error
        raise OSError(getattr(cause, "errno", None), str(cause)) from error


def _check_size(frame: pl.DataFrame, name: str) -> None:
    if frame.height >= MAX_ROWS or frame.width > MAX_COLUMNS:
        raise StoreError(
            f"{name}: {frame.height} rows and {frame.width} columns do not fit into a sheet, "
            f"which holds {MAX_ROWS - 1} below its header and {MAX_COLUMNS}. Write CSV or "
            "Parquet, or --split"
        )
    for column in frame.select(pl.col(pl.String)).iter_columns():
        longest = column.str.len_chars().max()
        if isinstance(longest, int) and longest > MAX_LETTERS:
            raise StoreError(
                f"{name}: a text of {column.name} has {longest} letters, a cell holds "
                f"{MAX_LETTERS}. Write CSV or Parquet"
            )


def _writable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose every value a cell can hold."""
    found = []
    for column in frame.iter_columns():
        kind = column.dtype
        if kind.is_integer():
            fits = column.is_between(-_LARGEST_WHOLE, _LARGEST_WHOLE).all()
            found.append(column if fits else column.cast(pl.String))
        elif isinstance(kind, pl.Datetime | pl.Date):
            found.append(_dates(column))
        elif kind.is_float() or kind in (pl.String, pl.Boolean):
            found.append(column)
        elif kind.is_decimal():
            found.append(column.cast(pl.Float64))
        else:
            found.append(column.cast(pl.String))
    return pl.DataFrame(found)


def _dates(column: pl.Series) -> pl.Series:
    """Return dates as they are; as text where some are before 1900, which Excel does not know."""
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return column.cast(pl.String)
    return column if column.dt.year().is_between(1900, 9999).all() else column.cast(pl.String)


def _writer(sheet: Any, kind: pl.DataType) -> Callable[[int, int, Any], object]:
    if kind == pl.String:
        write: Callable[[int, int, Any], object] = sheet.write_string
    elif kind == pl.Boolean:
        write = sheet.write_boolean
    elif isinstance(kind, pl.Datetime | pl.Date):
        write = sheet.write_datetime
    elif kind.is_float():

        def write(row: int, column: int, value: float) -> object:
            # A cell has no NaN and no infinity.
            return sheet.write_number(row, column, value) if math.isfinite(value) else None

    else:
        write = sheet.write_number
    return write
