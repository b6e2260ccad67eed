"""The whole experiment, and what `conf/` calls its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segrun.config.columns import AggregateConfig, RatingsConfig, TableConfig
from segrun.config.dataset import (
    DatasetConfig,
    FileConfig,
    RatingsFileConfig,
    RecordsConfig,
    SyntheticRatingsConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
    TransactionsConfig,
)
from segrun.config.evaluation import EvaluationConfig
from segrun.config.features import FeaturesConfig, Orders, RfmCalendarConfig, RfmConfig
from segrun.config.grid import AlgoConfig, AugmentationConfig, TransformConfig
from segrun.config.key import Effect, group, key
from segrun.config.running import (
    BackendConfig,
    CacheConfig,
    DuckdbConfig,
    EngineConfig,
    ModinConfig,
    PreflightConfig,
    PysparkConfig,
    StoreConfig,
    SweepConfig,
    TimingConfig,
)
from segrun.config.segments import Report, SegmentsConfig


@dataclass
class Experiment:
    """One experiment as composed from `conf/` and the command line."""

    name: str = key("Label of the experiment: first folder below outputs/.", effect=Effect.NONE)
    seed: int = key(
        "The one seed all randomness derives from, 0 to 2**32 - 1.",
        effect=Effect.DATA,
        minimum=0,
        maximum=2**32 - 1,
    )
    dataset: DatasetConfig = group("Where the rows come from.")
    features: FeaturesConfig = group("How rows become one row per customer.")
    augmentation: AugmentationConfig = group("Replication with jitter.")
    transform: TransformConfig = group("Scaling and the like, in front of the algorithm.")
    algo: AlgoConfig = group("The algorithm and its grid.")
    backend: BackendConfig = group("Who fits.")
    engine: EngineConfig = group("Who computes frames.")
    evaluation: EvaluationConfig = group("Scores and selection.")
    store: StoreConfig = group("What stays in the run directory.")
    timing: TimingConfig = group("How often fits are timed.")
    sweep: SweepConfig = group("How the jobs of one command go together.")
    # A default: jobs that were frozen before have none.
    preflight: PreflightConfig = group(
        "What a grid may take, estimated before it starts.", PreflightConfig
    )
    cache: CacheConfig = group(
        "What stays in the cache directory; no result depends on it.", CacheConfig
    )
    segments: SegmentsConfig = group(
        "How labels become segments that people can use.", SegmentsConfig
    )
    report: Report = key(
        "html: the run writes report.html and its pictures; none.",
        Report.none,
        effect=Effect.TELLING,
    )

    def __post_init__(self) -> None:
        """Settle what one part leaves to another, so that it is recorded as it is meant."""
        if isinstance(self.features, RfmConfig) and self.features.orders is Orders.auto:
            dataset = self.dataset
            mapped = isinstance(dataset, TransactionsConfig) and dataset.columns.invoice is not None
            orders = Orders.invoices if mapped else Orders.lines
            self.features = replace(self.features, orders=orders)


#: What `conf/` refers to as `/schema/<group>/<name>`: (group, name, dataclass).
SCHEMAS: list[tuple[str, str, type]] = [
    ("schema", "experiment", Experiment),
    ("schema/dataset", "synthetic_retail", SyntheticRetailConfig),
    ("schema/dataset", "online_retail", FileConfig),
    ("schema/dataset", "transactions", TransactionsConfig),
    ("schema/dataset", "records", RecordsConfig),
    ("schema/dataset", "synthetic_sales", SyntheticSalesConfig),
    ("schema/dataset", "synthetic_weblogs", SyntheticWeblogsConfig),
    ("schema/dataset", "synthetic_ratings", SyntheticRatingsConfig),
    ("schema/dataset", "ratings", RatingsFileConfig),
    ("schema/features", "ratings", RatingsConfig),
    ("schema/features", "rfm", RfmConfig),
    ("schema/features", "rfm_calendar", RfmCalendarConfig),
    ("schema/features", "aggregate", AggregateConfig),
    ("schema/features", "table", TableConfig),
    ("schema/engine", "duckdb", DuckdbConfig),
    ("schema/engine", "modin", ModinConfig),
    ("schema/engine", "pyspark", PysparkConfig),
]
