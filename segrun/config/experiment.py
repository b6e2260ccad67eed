"""The whole experiment, and what `conf/` calls its parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from segrun.config.dataset import DatasetConfig
from segrun.config.evaluation import EvaluationConfig
from segrun.config.features import FeaturesConfig
from segrun.config.grid import AlgoConfig, AugmentationConfig, TransformConfig
from segrun.config.key import key
from segrun.config.registry import KINDS
from segrun.config.running import (
    BackendConfig,
    CacheConfig,
    EngineConfig,
    PreflightConfig,
    StoreConfig,
    SweepConfig,
    TimingConfig,
)
from segrun.config.segments import Report, SegmentsConfig


@dataclass
class Experiment:
    """One experiment as composed from `conf/` and the command line."""

    name: str = key("Label of the experiment: first folder below outputs/.")
    seed: int = key("The one seed all randomness derives from, 0 to 2**32 - 1.")
    dataset: DatasetConfig = key("Where the rows come from.")
    features: FeaturesConfig = key("How rows become one row per customer.")
    augmentation: AugmentationConfig = key("Replication with jitter.")
    transform: TransformConfig = key("Scaling and the like, in front of the algorithm.")
    algo: AlgoConfig = key("The algorithm and its grid.")
    backend: BackendConfig = key("Who fits.")
    engine: EngineConfig = key("Who computes frames.")
    evaluation: EvaluationConfig = key("Scores and selection.")
    store: StoreConfig = key("What stays in the run directory.")
    timing: TimingConfig = key("How often fits are timed.")
    sweep: SweepConfig = key("How the jobs of one command go together.")
    # A default: jobs that were frozen before have none.
    preflight: PreflightConfig = field(
        default_factory=PreflightConfig,
        metadata={"doc": "What a grid may take, estimated before it starts."},
    )
    cache: CacheConfig = field(
        default_factory=CacheConfig,
        metadata={"doc": "What stays in the cache directory; no result depends on it."},
    )
    segments: SegmentsConfig = field(
        default_factory=SegmentsConfig,
        metadata={"doc": "How labels become segments that people can use."},
    )
    report: Report = key("html: the run writes report.html and its pictures; none.", Report.none)

    def __post_init__(self) -> None:
        """Settle what one part leaves to another, so that it is recorded as it is meant."""
        self.features = self.features.settled(self.dataset)


def schemas() -> list[tuple[str, str, type]]:
    """Return what `conf/` refers to as ``/schema/<group>/<name>``: (group, name, dataclass)."""
    kinds = [
        (f"schema/{g}", k, schema) for g, known in KINDS.items() for k, schema in known.items()
    ]
    return [("schema", "experiment", Experiment), *kinds]
