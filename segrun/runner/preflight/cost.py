"""What the stages of a grid take in memory and on disk, as far as that is known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.grid import points as grid
from segrun.config import Experiment, ModelsKept
from segrun.formats import in_bytes
from segrun.runner.preflight.neighbours import Neighbours, count_neighbours

#: Classes that the built-in algorithms make.
_CLASSES = {"kmeans": "KMeans", "dbscan": "DBSCAN"}
#: Bytes for each of n_samples squared, at 2,000 and 4,000 rows, where all rows are compared.
_SQUARE = {
    "AgglomerativeClustering": 8.5,
    "SpectralClustering": 33.0,
    "AffinityPropagation": 33.0,
    "HDBSCAN": 0.0,
}
#: Bytes that the kernels keep neighbours in at the most; see docs/native.md.
_NATIVE_BYTES = 1 << 30
#: The compiled kernel of the scores, loaded from so many distances on (COMPILED_DISTANCES of
#: segrun.evaluation.silhouette, which brings scipy), or products of blocks of rows.
_COMPILED_DISTANCES, _KERNEL_BYTES, _BLOCK_BYTES = 300_000_000, 150_000_000, 20_000_000
#: Label files: ids of replicated rows repeat, labels have few values (0.3 to 1.5 bytes a row).
_LABEL_BYTES = 1.5
#: A point's files, however few its rows.
_POINT_BYTES = 8_000


@dataclass(frozen=True)
class Task:
    """The work of a grid: the points left to fit, and the rows, where they are there already."""

    experiment: Experiment
    points: Sequence[Mapping[str, Any]]
    n_samples: int
    n_features: int
    X: NDArray[np.float64] | None = None

    @property
    def estimator(self) -> str:
        """Class of the clusterer, empty where a plugin makes it."""
        algo = self.experiment.algo
        return (algo.estimator or _CLASSES.get(algo.name, "")).rpartition(".")[2]

    @property
    def backend(self) -> str:
        """The backend that will fit, as far as that is known."""
        asked = self.experiment.backend.name.value
        if asked == "onedal" and find_spec("sklearnex") is None:
            return "sklearn"
        if self.estimator == "DBSCAN" and asked == "onedal" and not _searches(self) <= _ALL:
            return "sklearn"
        return asked


@dataclass(frozen=True)
class Cost:
    """What one stage takes: memory on top of what the process held before, and disk.

    `extra_bytes` is None where nothing tells; `basis` says what it was judged by, `cheaper` what
    would take less.
    """

    stage: str
    extra_bytes: int | None
    basis: str
    disk_bytes: int = 0
    cheaper: tuple[str, ...] = ()


def assess(task: Task) -> list[Cost]:
    """Return what the stages fit, evaluate and store take, in this order."""
    try:
        found = _neighbours(task)
        fit, models = _fit(task, found), _model_bytes(task, found)
    except (ValueError, TypeError, ArithmeticError):
        # Values that no fit can have, such as eps=-1: the fit will say so, at its own point.
        fit, models = Cost("fit", None, "not known of these parameters"), None
    return [fit, _evaluate(task), _store(task, models)]


def _fit(task: Task, found: Neighbours | None) -> Cost:
    n_fits, n_samples = len(task.points), task.n_samples
    # Labels of all points stay until they are scored.
    held = _held(task)
    if task.estimator == "KMeans":
        # A copy of the rows, with room for their norms and labels.
        own = n_samples * (8 * task.n_features + 32) if n_fits else 0
        basis = f"{n_fits} fits on {task.backend}, {n_samples:,} rows"
        return Cost("fit", held + own, basis)
    if task.estimator == "DBSCAN":
        return _dbscan(task, found)
    if task.estimator in _SQUARE:
        own = int(_SQUARE[task.estimator] * n_samples**2 + 100 * n_samples) if n_fits else 0
        return Cost(
            "fit", held + own, f"{n_fits} fits that compare all pairs of {n_samples:,} rows"
        )
    return Cost("fit", None, "not known of this algorithm")


def _held(task: Task) -> int:
    return 8 * task.n_samples * len(grid(task.experiment.algo))


def _dbscan(task: Task, found: Neighbours | None) -> Cost:
    if not task.points:
        return Cost("fit", _held(task), "nothing is left to fit")
    if not all(map(_is_euclidean, task.points)):
        return Cost("fit", None, "another metric: not known")
    head = f"{len(task.points)} fits on {task.backend}, {task.n_samples:,} rows"
    if found is None:
        return Cost("fit", None, f"{head}, neighbours not counted")
    eps = max(map(_eps, task.points))
    basis = f"{head}, {found.mean(eps):,.0f} neighbours a row within eps={eps:g} (a sample)"
    native, own = (_pair_bytes(task, found.mean(eps), b) for b in ("native", task.backend))
    cheaper = () if task.backend == "native" else (f"backend=native (about {in_bytes(native)})",)
    return Cost("fit", _held(task) + own, basis, cheaper=cheaper)


def _pair_bytes(task: Task, n_neighbours: float, backend: str) -> int:
    """Return the memory that the largest fit takes: of rows, and of pairs that are neighbours."""
    pairs = task.n_samples * n_neighbours
    rows = task.n_samples * (8 * task.n_features + 600)
    if backend == "native":
        # 9 bytes a pair, each kept once.
        return int(rows + min(_NATIVE_BYTES, 4.5 * pairs))
    # A neighbour: oneDAL 8 (thousands a row) to 15 (tens); scikit-learn 28 by all distances, 17 by
    # its tree.
    brute = _searches(task) == {"brute"} or (_searches(task) <= _ALL and task.n_features > 15)
    each = 12 if backend == "onedal" else 28 if brute else 17
    return int(rows + each * pairs)


def _neighbours(task: Task) -> Neighbours | None:
    """Count the neighbours of a sample; None without the rows, or for other distances."""
    wanted = task.estimator == "DBSCAN" and task.points and all(map(_is_euclidean, task.points))
    if not wanted or task.X is None:
        return None
    return count_neighbours(task.X, [*map(_eps, task.points)], task.experiment.seed)


def _evaluate(task: Task) -> Cost:
    n_samples, n_points = task.n_samples, len(grid(task.experiment.algo))
    config = task.experiment.evaluation.silhouette
    exact = n_samples <= max(config.max_exact_rows, config.sample_rows)
    how = "all" if exact else f"{config.sample_rows:,} sampled"
    n_distances = n_samples * (n_samples if exact else config.sample_rows)
    kernel = _KERNEL_BYTES if n_distances >= _COMPILED_DISTANCES else _BLOCK_BYTES
    # Rows sorted by group in double and single precision; codes of every label set.
    own = n_samples * (12 * task.n_features + 4 * n_points + 100) + kernel
    basis = f"{how} of {n_samples:,} rows against all, {n_points} label sets at the most"
    return Cost("evaluate", _held(task) + own, basis)


def _store(task: Task, model_bytes: float | None) -> Cost:
    """Return what is left on disk; models that are removed at the end count."""
    n_points = len(task.points)
    labels = n_points * (_LABEL_BYTES * task.n_samples + _POINT_BYTES)
    models, basis = 0.0, "labels"
    if task.experiment.store.models is not ModelsKept.none:
        known = model_bytes is not None
        models = model_bytes or 0.0
        basis = "labels, models" if known else "labels; the size of the models is not known"
    return Cost(
        "store",
        _held(task) + int((models + labels) / max(1, n_points)),
        f"{n_points} points: {basis}",
        int(labels + models),
        cheaper=("store.models=none",) if models > labels else (),
    )


def _model_bytes(task: Task, found: Neighbours | None) -> float | None:
    if task.estimator == "KMeans":
        return len(task.points) * 4.0 * task.n_samples
    if found is None:
        return None
    # Core rows themselves and their numbers; labels.
    shares = [found.core_share(_eps(p), float(p.get("min_samples") or 5)) for p in task.points]
    core = task.n_samples * sum(shares)
    return core * (8 * task.n_features + 8) + 8.0 * len(task.points) * task.n_samples


def _eps(point: Mapping[str, Any]) -> float:
    value = point.get("eps")
    return float(value) if isinstance(value, int | float) else 0.5


def _is_euclidean(point: Mapping[str, Any]) -> bool:
    metric = point.get("metric") or "euclidean"
    euclidean = metric == "euclidean" or (metric == "minkowski" and point.get("p") in (None, 2))
    return euclidean and not point.get("metric_params")


#: What oneDAL computes by all distances, and scikit-learn beyond 15 features.
_ALL = {"auto", "brute"}


def _searches(task: Task) -> set[str]:
    return {point.get("algorithm") or "auto" for point in task.points}
