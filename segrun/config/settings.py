"""The settings of sweepers and launchers: what ``hydra.sweeper`` and ``hydra.launcher`` may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_PLUGINS = "hydra_plugins.segrun_sweeps"


@dataclass
class BasicSweeper:
    """Every combination of the values, one job each."""

    _target_: str = f"{_PLUGINS}.BasicSweeper"
    #: Further overrides, for sweeps that are committed: {algo: "kmeans,dbscan"}.
    params: dict[str, Any] | None = None


@dataclass
class OptunaSweeper:
    """An optimiser draws the points; a trial is one point."""

    _target_: str = f"{_PLUGINS}.OptunaSweeper"
    #: Scores by name, such as [silhouette, smallest_share], or with their direction, such as
    #: {silhouette: maximize, n_clusters: minimize}; null: silhouette.
    objectives: Any = None
    #: What a point must satisfy: {noise_share: {max: 0.5}, n_clusters: {min: 3, max: 12}};
    #: null: the limits of evaluation; {}: nothing.
    limits: Any = None
    #: Trials of the study altogether; null: no end but `timeout` (a grid ends by itself).
    n_trials: int | None = 100
    #: Seconds after which no trial begins; null: none.
    timeout: float | None = None
    #: tpe, random, grid or nsgaii.
    sampler: str = "tpe"
    #: Parameters of Optuna's sampler of that name.
    sampler_params: Any = None
    #: Any storage URL of Optuna; null: study.db in the sweep directory.
    storage: str | None = None
    study_name: str = "segrun"
    params: dict[str, Any] | None = None


@dataclass
class BasicLauncher:
    """One job after the other, in this process."""

    _target_: str = f"{_PLUGINS}.BasicLauncher"


@dataclass
class ProcessLauncher:
    """Worker processes with a ceiling of memory and a limit of time."""

    _target_: str = f"{_PLUGINS}.ProcessLauncher"
    #: Jobs side by side; each gets its share of the cores.
    n_jobs: int = 1
    #: Resident memory of a worker: bytes, or a text such as 4GB; auto: 90 % of the machine's,
    #: shared by the workers; null: no ceiling.
    memory_limit: Any = "auto"
    #: Wall seconds of a job; null: no limit.
    time_limit_seconds: float | None = None


@dataclass
class JoblibLauncher:
    """joblib's worker processes."""

    _target_: str = f"{_PLUGINS}.JoblibLauncher"
    #: Jobs side by side; -1: one per core.
    n_jobs: int = 2
    #: A backend of joblib that runs processes: loky or multiprocessing.
    backend: str = "loky"


@dataclass
class DaskLauncher:
    """A cluster of Dask, on this machine or on many that share the file system."""

    _target_: str = f"{_PLUGINS}.DaskLauncher"
    #: Address of a scheduler, such as tcp://host:8786; null: a cluster on this machine.
    address: str | None = None
    #: Workers of the cluster on this machine.
    n_workers: int = 2


@dataclass
class SubmititLauncher:
    """Jobs of a batch system, by submitit."""

    _target_: str = f"{_PLUGINS}.SubmititLauncher"
    #: slurm, or local to try it without one.
    cluster: str = "slurm"
    #: What submitit is told: timeout_min, mem_gb, cpus_per_task, slurm_partition, ...
    parameters: dict[str, Any] = field(default_factory=lambda: {"timeout_min": 60})
    #: Jobs submitted at a time.
    max_jobs: int = 100


#: What the ConfigStore gets: (group, name, settings).
SETTINGS: list[tuple[str, str, type]] = [
    ("hydra/sweeper", "basic", BasicSweeper),
    ("hydra/sweeper", "optuna", OptunaSweeper),
    ("hydra/launcher", "basic", BasicLauncher),
    ("hydra/launcher", "process", ProcessLauncher),
    ("hydra/launcher", "joblib", JoblibLauncher),
    ("hydra/launcher", "dask", DaskLauncher),
    ("hydra/launcher", "submitit", SubmititLauncher),
]
