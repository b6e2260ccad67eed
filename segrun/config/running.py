"""Who fits and computes, what it may take, what stays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

from segrun.config.key import Effect, key

cost = partial(key, effect=Effect.COST)
timing = partial(key, effect=Effect.TIMINGS)


class BackendName(Enum):
    """Who fits the clusterings."""

    onedal = "onedal"
    native = "native"
    sklearn = "sklearn"


@dataclass
class BackendConfig:
    """Who fits."""

    name: BackendName = key(
        "onedal (scikit-learn-intelex) or sklearn (stock scikit-learn).", effect=Effect.LABELS
    )
    require: bool = key(
        "true: a fit that falls back to another backend is an error.", effect=Effect.LABELS
    )


class EngineName(Enum):
    """Who computes the features from the transactions."""

    polars = "polars"
    pandas = "pandas"
    duckdb = "duckdb"
    modin = "modin"
    pyspark = "pyspark"


class Runner(Enum):
    """What Modin computes on."""

    ray = "ray"
    dask = "dask"


@dataclass
class EngineConfig:
    """Who computes frames; no result depends on it."""

    name: EngineName = cost("Data-frame engine for the features.")


@dataclass
class DuckdbConfig(EngineConfig):
    """DuckDB, in this process."""

    memory_gib: float | None = cost(
        "GiB of memory that the engine may take; null: its own default. DuckDB then spills to disk."
    )


@dataclass
class ModinConfig(EngineConfig):
    """Modin on Ray or Dask: on this machine, or on a cluster that runs already."""

    runner: Runner = cost("What Modin computes on: ray or dask.")
    address: str | None = cost(
        "Cluster that runs already (ray: HOST:6379 or auto; dask: tcp://HOST:8786); null: start "
        "workers on this machine and end them afterwards."
    )
    memory_gib: float | None = cost(
        "GiB of memory for objects (ray) or for all workers (dask) started on this machine; null: "
        "the runner's own default."
    )


@dataclass
class PysparkConfig(EngineConfig):
    """Spark: on this machine, or on a cluster."""

    master: str = cost("local[*] (all cores of this machine), or a cluster: spark://HOST:7077.")
    memory_gib: float = cost("GiB of heap of the driver, which computes itself where it is local.")
    worker_memory_gib: float = cost("GiB of heap of each executor of a cluster.")
    options: dict[str, str] = cost(
        "Further settings of Spark by name, such as {spark.executor.cores: 2}.", {}
    )


@dataclass
class CacheConfig:
    """What stays in the cache directory; no result depends on it."""

    use: bool = cost(
        "true: the table read from a large input, and its features, are kept in the cache "
        "directory and used by later runs; false: nothing is kept, or taken from there.",
        True,
    )
    min_bytes: int = cost(
        "Size in bytes from which on an input is large: a CSV file is then read in one pass, its "
        "number forms and dates told from a probe and checked on every row.",
        200_000_000,
    )


class PreflightAction(Enum):
    """What happens where a grid will take more than is allowed."""

    none = "none"
    warn = "warn"
    sample = "sample"
    refuse = "refuse"


@dataclass
class PreflightConfig:
    """What a grid may take, estimated before it starts."""

    action: PreflightAction = cost(
        "Where it is too much: refuse (memory before any fit), warn, or sample (an exact "
        "silhouette is sampled where time is too long, the rest is warned of); none: no estimate.",
        PreflightAction.warn,
    )
    max_seconds: float | None = cost(
        "Wall seconds that fits and scores may take, judged by what is done; null: no limit.",
        None,
        above=0,
    )
    max_memory_share: float = cost(
        "Share, above 0 and up to 1, of the memory that this run can have (its control group's "
        "limit counts, jobs side by side share).",
        0.9,
        above=0,
        maximum=1,
    )


class ModelsKept(Enum):
    """Which fitted models stay in the run directory."""

    all = "all"
    best = "best"
    none = "none"


@dataclass
class StoreConfig:
    """What stays in the run directory."""

    models: ModelsKept = key(
        "Fitted models kept: all, best (the selected point's) or none.", effect=Effect.TELLING
    )
    state: bool = cost(
        "true: the input is read once more at the end, for the aggregates that segrun ingest adds "
        "new sales to; false: the first segrun ingest does so.",
        False,
    )


@dataclass
class TimingConfig:
    """How often fits are timed."""

    repeats: int = timing("Fits per point, at least 1; labels come from the first.", minimum=1)
    share: bool = timing(
        "true: take an algorithm's faster road over the whole grid, where it has one; false: "
        "fit every point alone, so that each has a time of its own."
    )
    round: int = timing(
        "Number of a benchmark's round, from 0: sweeping over it runs the same jobs again. No "
        "result depends on it.",
        0,
    )


@dataclass
class SweepConfig:
    """How the jobs of one command go together; no result depends on it."""

    keep_going: bool = key(
        "true: a failed job does not stop the others; false: no more begin.", effect=Effect.NONE
    )
    reuse: bool = key(
        "true: take over a finished job of an earlier sweep below the same outputs/<name> that "
        "has the same content key, instead of running it again.",
        effect=Effect.NONE,
    )
