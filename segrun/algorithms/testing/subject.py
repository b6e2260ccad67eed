"""What the suite asks about: tables, the composed YAML, scikit-learn's checks, the model."""

from __future__ import annotations

import pickle
import pickletools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segrun import config
from segrun.algorithms import points, registry, resolve
from segrun.algorithms.backend import Backend
from segrun.algorithms.base import Algorithm
from segrun.config import AlgoConfig

SEED = 7


def tables() -> dict[str, NDArray[np.float64]]:
    """Return the tables that every algorithm is run on, by name; C order, writable."""
    rng = np.random.default_rng(SEED)
    centres = rng.uniform(-6, 6, size=(5, 4))
    blobs = centres[rng.integers(0, 5, 400)] + rng.normal(0, 0.4, size=(400, 4))
    noisy = np.concatenate([blobs[:300], rng.uniform(-9, 9, size=(60, 4))])
    skewed = rng.lognormal(0, 1, size=(350, 3))
    return {
        "blobs": blobs,
        "blobs and noise": noisy,
        "skewed": (skewed - skewed.mean(axis=0)) / skewed.std(axis=0),
    }


@cache
def composed(name: str) -> AlgoConfig:
    """Return the YAML of an algorithm as the real command composes it.

    Raises
    ------
    AssertionError
        With what the command says, if it does not compose.
    """
    done = subprocess.run(  # noqa: S603 - segrun itself
        [sys.executable, "-m", "segrun", f"algo={name}", f"seed={SEED}", "--cfg", "job"],
        capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, f"segrun algo={name}: {done.stderr}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "composed.yaml"
        file.write_text(done.stdout, encoding="utf-8")
        # random_state: ${seed} is resolved against the whole.
        return config.algo_of(file)


def own_parameters(config: AlgoConfig) -> set[str]:
    """Return the parameters of the plugin's own `make`."""
    if config.estimator is not None:
        return set()
    own = signature(registry.find(config.name).make).parameters.values()
    return {p.name for p in own if p.kind is not Parameter.VAR_KEYWORD}


def roads_of(algorithm: Algorithm, model: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what labels new rows: ``predict``, ``assign`` or both."""
    if hasattr(model, "predict"):
        yield "predict", model.predict
    if algorithm.assign is not None:
        yield "assign", partial(algorithm.assign, model)


def assigned(algorithm: Algorithm, model: Any, X: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the labels of rows by whatever labels new rows."""
    return {how: np.asarray(road(X)) for how, road in roads_of(algorithm, model)}


def modules(model: Any) -> set[str]:
    """Return the texts of a pickled model, the modules that it names among them."""
    return {
        word
        for _, argument, _ in pickletools.genops(pickle.dumps(model))
        if isinstance(argument, str)
        for word in argument.split()
    }


def check_cases(name: str, backend: str) -> list[Any]:
    """Return scikit-learn's checks of the estimator of the first point, as pytest parameters."""
    try:
        return list(_cases(name, backend))
    except Exception as error:  # noqa: BLE001 - one failed test, not the end of all
        return [pytest.param(error, _not_made, id="the estimator is made")]


def _cases(name: str, backend: str) -> Iterator[Any]:
    from sklearn.utils.estimator_checks import estimator_checks_generator

    algo = composed(name)
    algorithm = resolve(algo, SEED)
    estimator = algorithm.make(Backend(backend), **points(algo)[0].params)
    expected = dict(algorithm.expected_failed_checks)
    for case in estimator_checks_generator(
        estimator, expected_failed_checks=expected, mark="xfail"
    ):
        values, marks = getattr(case, "values", case), getattr(case, "marks", ())
        yield pytest.param(*values, marks=marks, id=check_name(values[1]))


def check_name(check: Any) -> str:
    """Return the name that `Algorithm.expected_failed_checks` has for a check."""
    return str(getattr(check, "func", check).__name__)


def _not_made(error: Exception) -> None:
    raise AssertionError(f"the first point of the grid cannot be made: {error}") from error
