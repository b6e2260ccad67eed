"""Modin: pandas in parts, on Ray or Dask, on this machine or a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import ModinConfig, Runner
from segrun.engines import pandas
from segrun.environment import usable_cores
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
    started = _on_ray if config.runner is Runner.ray else _on_dask
    with started(config):
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


@contextmanager
def _on_ray(config: ModinConfig) -> Iterator[None]:
    import ray

    own: dict[str, Any] = {"include_dashboard": False, "num_cpus": usable_cores()}
    if config.memory_gib is not None:
        own["object_store_memory"] = round(config.memory_gib * 2**30)
    try:
        # Modin leaves objects of its own in the first session that it meets and cannot do with
        # another one: it lasts as long as this process, and Ray ends it then.
        ray.init(
            ignore_reinit_error=True,
            address=config.address or "local",
            log_to_driver=False,
            logging_level="error",
            **({} if config.address else own),
        )
    except Exception as error:
        raise _not_started(config, error) from error
    yield


@contextmanager
def _on_dask(config: ModinConfig) -> Iterator[None]:
    # Its classes are no typed ones.
    import distributed as dask

    try:
        cluster: Any = None if config.address else _workers(config)
        client: Any = dask.Client(cluster or config.address, timeout=30)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise _not_started(config, error) from error
    try:
        yield
    finally:
        client.close()
        if cluster is not None:
            cluster.close()


def _workers(config: ModinConfig) -> Any:
    import distributed as dask

    n_workers = usable_cores()
    each = None if config.memory_gib is None else round(config.memory_gib * 2**30 / n_workers)
    return dask.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=n_workers,
        threads_per_worker=1,
        memory_limit=each or "auto",
        dashboard_address=None,
        silence_logs="ERROR",
    )


def _not_started(config: ModinConfig, error: Exception) -> EngineError:
    where = config.address or "this machine"
    return EngineError(
        f"engine=modin on {config.runner.value} ({where}) does not start: {error}. "
        "engine.address names a cluster that runs already; null starts one here"
    )
