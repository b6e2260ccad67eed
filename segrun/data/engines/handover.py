"""The rows of a dataset, opened by the engine that is to compute with them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import EngineConfig, EngineName
from segrun.data.cache import cache_directory
from segrun.data.datasets.rows import Rows
from segrun.data.engines.engine import engine_of
from segrun.errors import EngineError, SegrunError, StoreError

log = logging.getLogger("segrun.data.engines")

#: One file with all rows, where the dataset lies in no Parquet of its own.
_FILE = "rows.parquet"


@contextmanager
def hand_over(source: Rows, config: EngineConfig, cache: Path | None = None) -> Iterator[Rows]:
    """Open the rows of a dataset by an engine; polars has opened them already.

    What is awkward in a file (encodings, dates, decimal marks, bad lines) is settled once, by
    polars. The other engines get the typed rows as Parquet.
    """
    if config.name is EngineName.polars:
        yield source
        return
    reader = import_module(f"segrun.data.engines.{config.name.value}")
    with _parquet(source, cache or cache_directory()) as files:
        log.info("rows handed over to %s", engine_of(config).version)
        try:
            with reader.opened(files, config) as frame:
                yield replace(source, frame=frame, by_polars=source.frame)
        except SegrunError:
            raise
        except Exception as error:
            # Each engine has errors of its own: no memory left, a worker lost, a full disk.
            log.debug("the engine failed", exc_info=error)
            said = str(error).strip().partition("\n")[0] or type(error).__name__
            raise EngineError(
                f"engine={config.name.value} failed: {said}. Give it more memory, or choose "
                "engine=polars, which gives the same features"
            ) from error


def collected(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Compute a lazy frame by its own engine; the result is a small one of polars."""
    if frame.implementation is nw.Implementation.POLARS:
        return frame.collect("polars", engine="streaming")
    reader = import_module(f"segrun.data.engines.{frame.implementation.value}")
    found: pl.DataFrame = reader.to_polars(frame.to_native())
    return nw.from_native(found, eager_only=True)


@contextmanager
def _parquet(source: Rows, cache: Path) -> Iterator[Sequence[Path]]:
    """Give the Parquet files with the rows, written where there are none."""
    if source.files:
        yield source.files
        return
    frame: pl.LazyFrame = source.frame.to_native()
    try:
        # So called, it is removed by the next reader if this one is killed.
        temporary = TemporaryDirectory(dir=cache, prefix=f"reading-{os.getpid()}-")
    except OSError as error:
        raise _unwritable(cache, error) from error
    with temporary as folder:
        path = Path(folder) / _FILE
        try:
            # Every engine reads snappy.
            frame.sink_parquet(path, compression="snappy")
        except OSError as error:
            raise _unwritable(cache, error) from error
        yield (path,)


def _unwritable(cache: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write the rows for the engine to {cache}: {error.strerror or error}. "
        "Name another folder: SEGRUN_CACHE=DIR"
    )
