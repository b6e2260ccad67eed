"""Modin: pandas in parts, on Ray or Dask, on this machine or a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import ModinConfig, Runner
from segrun.engines import pandas
from segrun.errors import EngineError


@contextmanager
def opened(files: Sequence[Path], config: ModinConfig) -> Iterator[nw.LazyFrame[Any]]:
    """Read Parquet files in parts.

    Parameters
    ----------
    files : sequence of Path
        Typed rows.
    config : ModinConfig
        What Modin computes on, and where.

    Raises
    ------
    EngineError
        If Ray or Dask does not start.
    """
    start = {Runner.ray: _on_ray, Runner.dask: _on_dask}[config.runner]
    with start(config):
        import modin.config as settings

        settings.Engine.put(config.runner.value.capitalize())
        import modin.pandas as mpd

        paths = [str(file) for file in files]
        rows = mpd.read_parquet(
            paths[0] if len(paths) == 1 else paths, dtype_backend="numpy_nullable"
        )
        yield nw.from_native(rows).lazy()


@contextmanager
def _on_ray(config: ModinConfig) -> Iterator[None]:
    import ray

    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    local: dict[str, Any] = {"include_dashboard": False}
    if config.memory_gib is not None:
        local["object_store_memory"] = round(config.memory_gib * 2**30)
    try:
        ray.init(
            address=config.address or "local",
            log_to_driver=False,
            logging_level="error",
            **({} if config.address else local),
        )
    except Exception as error:
        raise _not_started(config, error) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _on_dask(config: ModinConfig) -> Iterator[None]:
    from distributed import Client, LocalCluster

    try:
        if config.address:
            client, cluster = Client(config.address, timeout=30), None
        else:
            cluster = LocalCluster(
                dashboard_address=None,
                memory_limit="auto",
            )
            client = Client(cluster)
    except Exception as error:
        raise _not_started(config, error) from error
    try:
        yield
    finally:
        client.close()
        if cluster is not None:
            cluster.close()


def _not_started(config: ModinConfig, error: Exception) -> EngineError:
    where = config.address or "this machine"
    return EngineError(
        f"engine=modin on {config.runner.value} ({where}) does not start: {error}. "
        "engine.address names a cluster that runs already; null starts one here"
    )


def to_polars(frame: Any) -> pl.DataFrame:
    """Bring a small frame together and return it."""
    return pandas.to_polars(frame._to_pandas())
