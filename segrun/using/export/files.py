"""Tables as files: CSV, Parquet or Excel by the suffix, whole or not at all."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from segrun.errors import ConfigError, DataError, StoreError
from segrun.rundir.store import MARK, NUMBER, RISKY
from segrun.using.export.targets import check_writable


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts, column names included, a spreadsheet shows as they stand.

    A text that would begin a formula gets an apostrophe in front; numbers written as text, such
    as -6, do not.
    """
    texts = pl.col(pl.String)
    risky = texts.str.contains(RISKY) & ~texts.str.contains(NUMBER)
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    found = frame.with_columns(pl.when(risky).then(texts.str.replace("^", MARK)).otherwise(texts))
    names = pl.Series(frame.columns, dtype=pl.String)
    plain = names.str.contains(NUMBER) | ~names.str.contains(RISKY)
    return found.rename(
        {name: MARK + name for name, fine in zip(names, plain, strict=True) if not fine}
    )


SUFFIXES = (".csv", ".parquet", ".xlsx")

#: Rows that are text, or Python objects, at once.
_BATCH = 20_000


def check_suffix(path: Path, more: str = "") -> None:
    """Refuse a file whose suffix says no form."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: the suffix says how the file is written: {', '.join(SUFFIXES)}. "
            f"Got {path.suffix or 'none'} instead{more}"
        )


def refuse_existing(*files: Path, option: str = "--force") -> None:
    """Refuse to write over files."""
    for file in files:
        if file.exists():
            raise StoreError(f"{file} exists: choose another file, or write over it with {option}")


def as_frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return columns of equal length as a frame, None where a value is missing."""
    frame = pl.DataFrame({name: pl.Series(list(values)) for name, values in columns.items()})
    return frame.with_columns(pl.col(pl.Null).cast(pl.Int64))


def write_frames(frames: Mapping[Path, pl.DataFrame]) -> None:
    """Write several tables, each in the form that its suffix says: all of them or none."""
    for path in frames:
        check_writable(path)
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in frames}
    path = next(iter(frames), Path())
    try:
        for path, frame in frames.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary[path], frame, path)
        for path in frames:
            temporary[path].replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        for file in temporary.values():
            with suppress(OSError):
                file.unlink(missing_ok=True)


def _write(file: Path, frame: pl.DataFrame, path: Path) -> None:
    match path.suffix.lower():
        case ".parquet":
            # By way of memory: on a full disk polars raises no OSError.
            content = io.BytesIO()
            frame.write_parquet(content)
            file.write_bytes(content.getbuffer())
        case ".xlsx":
            check_flat(frame, path)
            write_workbook(file, frame, str(path))
        case _:
            check_flat(frame, path)
            _write_csv(file, frame)


def _write_csv(file: Path, frame: pl.DataFrame) -> None:
    with file.open("wb") as out:
        for start in range(0, max(1, frame.height), _BATCH):
            batch = defused(frame.slice(start, _BATCH))
            out.write(batch.write_csv(include_header=start == 0).encode())


def check_flat(frame: pl.DataFrame, path: object) -> None:
    """Refuse columns that no cell can hold."""
    for name, kind in frame.schema.items():
        if kind.is_nested() or kind in (pl.Binary, pl.Object):
            raise DataError(
                f"{path}: the column {name} holds {kind}, which only Parquet can. Write Parquet, "
                "or leave the column out of the input"
            )


#: What a sheet and a cell hold.
MAX_ROWS, MAX_COLUMNS, MAX_LETTERS = 1_048_576, 16_384, 32_767

#: Above it, float64 does not tell whole numbers apart; a cell holds one.
LARGEST_WHOLE = 2**53


def write_workbook(path: Path, frame: pl.DataFrame, name: str) -> None:
    """Write a frame as the only sheet of a workbook."""
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
            fits = column.is_between(-LARGEST_WHOLE, LARGEST_WHOLE).all()
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
