"""Modin: pandas in parts, on Ray or Dask, on this machine or a cluster."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import ModinConfig, Runner
from segrun.data.engines import pandas
from segrun.errors import EngineError
from segrun.rundir.environment import usable_cores

log = logging.getLogger("segrun.data.engines")


@contextmanager
def opened(files: Sequence[Path], config: ModinConfig) -> Iterator[nw.LazyFrame[Any]]:
    """Read Parquet files in parts."""
    try:
        _start(config.runner, config.address, config.memory_gib)
    except Exception as error:
        where = config.address or "this machine"
        raise EngineError(
            f"engine=modin on {config.runner.value} ({where}) does not start: {error}. "
            "engine.address names a cluster that runs already; null starts one here"
        ) from error
    with warnings.catch_warnings():
        # For each step that it leaves to pandas: the log says so once.
        warnings.simplefilter("ignore")
        log.info("Modin leaves some steps to pandas, in this process")
        import modin.config
        import modin.pandas as mpd

        modin.config.Engine.put(config.runner.value.capitalize())
        paths = [str(file) for file in files]
        # Whole numbers stay whole where some are missing, texts know what is missing.
        rows = mpd.read_parquet(
            paths[0] if len(paths) == 1 else paths, dtype_backend="numpy_nullable"
        )
        yield nw.from_native(rows).lazy()


def to_polars(frame: Any) -> pl.DataFrame:
    """Bring a small frame together and return it."""
    return pandas.to_polars(frame._to_pandas())


@cache
def _start(runner: Runner, address: str | None, memory_gib: float | None) -> Any:
    """Start workers or connect to a cluster, once; return what must be kept.

    Modin leaves objects of its own in the first session that it meets and cannot do with another
    one: it lasts as long as this process, and Ray and Dask end it then.
    """
    n_bytes = None if memory_gib is None else round(memory_gib * 2**30)
    if runner is Runner.ray:
        return _ray(address, n_bytes)
    import distributed as dask

    at = address or _dask_workers(n_bytes)
    return dask.Client(at, timeout=30)  # type: ignore[no-untyped-call]


def _ray(address: str | None, n_bytes: int | None) -> Any:
    import ray

    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address:
        return ray.init(address=address, **quiet)
    own: dict[str, Any] = {"include_dashboard": False, "num_cpus": usable_cores()}
    if n_bytes is not None:
        own["object_store_memory"] = n_bytes
    return ray.init(address="local", **own, **quiet)


def _dask_workers(n_bytes: int | None) -> Any:
    import distributed as dask

    n_workers = usable_cores()
    return dask.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=n_workers,
        threads_per_worker=1,
        memory_limit="auto" if n_bytes is None else n_bytes // n_workers,
        # Port 8787 may be taken, by another job of the sweep for one.
        dashboard_address="127.0.0.1:0",
        silence_logs="ERROR",
    )
