"""Spark: on this machine, or on a cluster whose machines see the files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from segrun import interrupt
from segrun.config import PysparkConfig
from segrun.errors import EngineError
from segrun.rundir.environment import usable_cores


@contextmanager
def opened(files: Sequence[Path], config: PysparkConfig) -> Iterator[nw.LazyFrame[Any]]:
    """Open Parquet files in a session of their own."""
    session = None
    try:
        # A Java process whose start is interrupted stays for good.
        with interrupt.deferred():
            session = _session(config)
        yield nw.from_native(session.read.parquet(*(str(file.resolve()) for file in files)))
    finally:
        if session is not None:
            session.stop()


def _session(config: PysparkConfig) -> Any:
    from pyspark.sql import SparkSession

    # It tells of every connection that it closes, and of a Ctrl-C with a traceback.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    builder: Any = SparkSession.builder
    settings = _settings(config) | config.options
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        return builder.master(config.master).appName("segrun").getOrCreate()
    except Exception as error:
        raise EngineError(
            f"engine=pyspark with engine.master={config.master} does not start: {error}. It needs "
            "Java 17 or newer (JAVA_HOME), and a cluster that runs where one is named"
        ) from error


def _settings(config: PysparkConfig) -> dict[str, str]:
    found = {
        "spark.driver.memory": _mebibytes(config.memory_gib),
        "spark.executor.memory": _mebibytes(config.worker_memory_gib),
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Moments have no time zone; one that slipped in would be taken for this one.
        "spark.sql.session.timeZone": "UTC",
        # A sum beyond 64 bits is no error: sums of absolute values beside it say so, with the
        # customer.
        "spark.sql.ansi.enabled": "false",
        # One row per customer comes back: through Arrow in a tenth of the time.
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if config.master.startswith("local"):
        # Without a network, or behind a name that leads elsewhere, it does not find itself.
        here = "127.0.0.1"
        found |= {"spark.driver.host": here, "spark.driver.bindAddress": here}
        # Of the 200 that it makes of any data, most would be empty.
        found["spark.sql.shuffle.partitions"] = str(4 * usable_cores())
    return found


def _mebibytes(gib: float) -> str:
    return f"{round(gib * 1024)}m"


def to_polars(frame: Any) -> pl.DataFrame:
    """Compute a frame and return the result."""
    found = pl.from_arrow(frame.toArrow())
    assert isinstance(found, pl.DataFrame)
    return found
