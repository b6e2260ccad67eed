"""The whole experiment, and what `conf/` calls its parts."""

from __future__ import annotations

from dataclasses import dataclass

from segrun.config.clustering import (
    AlgoConfig,
    AugmentationConfig,
    EvaluationConfig,
    Report,
    SegmentsConfig,
    TransformConfig,
)
from segrun.config.dataset import DatasetConfig
from segrun.config.features import FeaturesConfig
from segrun.config.key import Effect, group, key
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
        self.features = self.features.settled(self.dataset)


def schemas() -> list[tuple[str, str, type]]:
    """Return what `conf/` refers to as ``/schema/<group>/<name>``: (group, name, dataclass)."""
    kinds = [
        (f"schema/{g}", k, schema) for g, known in KINDS.items() for k, schema in known.items()
    ]
    return [("schema", "experiment", Experiment), *kinds]
