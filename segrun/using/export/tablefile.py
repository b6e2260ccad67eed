"""Tables as files: CSV, Parquet or Excel by the suffix, whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from segrun.errors import ConfigError, DataError, StoreError
from segrun.using.export.formulas import defused
from segrun.using.export.targets import check_writable
from segrun.using.export.workbook import write_workbook

SUFFIXES = (".csv", ".parquet", ".xlsx")

_BATCH = 100_000


def check_suffix(path: Path, more: str = "") -> None:
    """Refuse a file whose suffix says no form.

    Raises
    ------
    ConfigError
        Naming those that do.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: the suffix says how the file is written: {', '.join(SUFFIXES)}. "
            f"Got {path.suffix or 'none'} instead{more}"
        )


def refuse_existing(*files: Path, option: str = "--force") -> None:
    """Refuse to write over files.

    Raises
    ------
    StoreError
        Naming the first that exists.
    """
    for file in files:
        if file.exists():
            raise StoreError(f"{file} exists: choose another file, or write over it with {option}")


def as_frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return columns of equal length as a frame, None where a value is missing."""
    return pl.DataFrame({name: _series(values) for name, values in columns.items()})


def _series(values: Any) -> pl.Series:
    found = pl.Series(list(values), dtype=pl.String) if _is_text(values) else pl.Series(values)
    return found.cast(pl.Int64) if found.dtype == pl.Null else found


def _is_text(values: Any) -> bool:
    first = next((v for v in values if v is not None), None)
    return isinstance(first, str)


def write_frames(frames: Mapping[Path, pl.DataFrame]) -> None:
    """Write several tables, each in the form that its suffix says: all of them or none.

    Raises
    ------
    StoreError
        If one cannot be written; nothing half-written stays, and what was there is as it was.
    DataError
        If a column holds what the form has no cells for.
    """
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
    """Refuse columns that no cell can hold.

    Raises
    ------
    DataError
        Naming the first.
    """
    for name, kind in frame.schema.items():
        if kind.is_nested() or kind in (pl.Binary, pl.Object):
            raise DataError(
                f"{path}: the column {name} holds {kind}, which only Parquet can. Write Parquet, "
                "or leave the column out of the input"
            )
