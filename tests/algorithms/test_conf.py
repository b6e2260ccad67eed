"""The committed algorithms, read from their YAML and run on a small table."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from segrun.algorithms import check, points, resolve
from segrun.algorithms.backend import Backend
from segrun.config import AlgoConfig, conf_directory

FILES = sorted((conf_directory() / "algo").glob("*.yaml"))


def read(file: Path) -> AlgoConfig:
    typed = OmegaConf.merge(OmegaConf.structured(AlgoConfig), OmegaConf.load(file))
    return OmegaConf.to_object(OmegaConf.create({"seed": 4, "algo": typed}))["algo"]


@pytest.fixture(scope="module")
def Z():
    """Five hundred rows around eight centres that overlap."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, size=(8, 5))
    Z = centres[rng.integers(0, 8, 500)] + rng.normal(0, 0.6, size=(500, 5))
    Z.setflags(write=False)
    return Z


@pytest.mark.heavy
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_point_can_be_made_and_the_first_gives_labels(file, Z):
    config, backend = read(file), Backend("onedal")
    check(config, backend, seed=0)
    algorithm, point = resolve(config, seed=0), points(config)[0]
    assert algorithm.name == file.stem
    fit = backend.fit(algorithm.make(backend, **point.params), Z)
    assert fit.labels.shape == (500,)
    assert fit.labels.min() >= -1
    assert fit.warnings == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_params_hold_every_tunable(file):
    config, backend = read(file), Backend("sklearn")
    made = resolve(config, seed=0).make(backend, **points(config)[0].params)
    # Left out: output, speed and memory, which change no label.
    untold = {"verbose", "verbose_interval", "copy_x", "copy", "compute_labels", "memory"}
    untold |= {"warm_start", "compute_distances", "store_centers"}
    assert set(made.get_params()) - set(config.params) <= untold


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_axes_are_null_and_the_seed_is_the_experiments(file):
    config = read(file)
    assert config.grid
    assert all(config.params[axis] is None for axis in config.grid)
    assert config.params.get("random_state", 4) == 4


def test_the_kits_grids_are_the_kits():
    kmeans, dbscan = (read(conf_directory() / "algo" / f"{n}.yaml") for n in ("kmeans", "dbscan"))
    assert kmeans.grid == {
        "n_clusters": [2, 3, 4, 5, 10, 15, 20, 25, 30],
        "tol": [1e-3, 1e-4, 1e-5],
    }
    assert dbscan.grid == {"min_samples": [10, 50, 100], "eps": [0.3, 0.5, 0.7]}
