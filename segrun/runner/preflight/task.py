"""What is to be done: the work of a grid as far as it is known without doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.grid import points as grid
from segrun.config import BackendName, Experiment, ModelsKept, SilhouetteConfig

#: Classes that the built-in algorithms make.
_CLASSES = {"kmeans": "KMeans", "dbscan": "DBSCAN"}


@dataclass(frozen=True)
class Task:
    """The work of a grid.

    Attributes
    ----------
    estimator : str
        Class of the clusterer, empty where a plugin makes it.
    backend : {"onedal", "native", "sklearn"}
        The one that is asked for and installed.
    share : bool
        Whether points are fitted together where their backend can.
    points : sequence of mapping
        Parameters of the points that are to be fitted.
    n_points : int
        Number of points that are to be scored.
    repeats : int
        Fits of each.
    n_samples, n_features : int
        Shape of the matrix.
    X : ndarray of float64, shape (n_samples, n_features), or None
        The matrix, where it is there already.
    silhouette : SilhouetteConfig
        How many rows are scored.
    models : ModelsKept
        Which models are stored.
    seed : int
        The experiment's seed, for samples.
    """

    estimator: str
    backend: str
    share: bool
    points: Sequence[Mapping[str, Any]]
    n_points: int
    repeats: int
    n_samples: int
    n_features: int
    X: NDArray[np.float64] | None
    silhouette: SilhouetteConfig
    models: ModelsKept
    seed: int


def task(
    experiment: Experiment,
    points: Sequence[Mapping[str, Any]],
    shape: tuple[int, int],
    X: NDArray[np.float64] | None = None,
) -> Task:
    """Return the work of an experiment.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    points : sequence of mapping
        Parameters of the points left to fit.
    shape : tuple of (int, int)
        Rows and features.
    X : ndarray, optional
        The matrix itself.
    """
    algo = experiment.algo
    path = algo.estimator or _CLASSES.get(algo.name, "")
    return Task(
        path.rpartition(".")[2], _installed(experiment.backend.name), experiment.timing.share,
        points, len(grid(algo)), experiment.timing.repeats, *shape, X,
        experiment.evaluation.silhouette, experiment.store.models, experiment.seed,
    )  # fmt: skip


def _installed(backend: BackendName) -> str:
    if backend is BackendName.onedal and find_spec("sklearnex") is None:
        return BackendName.sklearn.value
    return backend.value
