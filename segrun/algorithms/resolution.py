"""From ``algo.*`` to an algorithm whose every point can be made, before any data is read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from segrun.algorithms.base import Algorithm, Clusterer, Maker
from segrun.algorithms.estimator import from_path, ready
from segrun.algorithms.grid import Point, points
from segrun.algorithms.registry import find
from segrun.config import AlgoConfig
from segrun.errors import ConfigError

if TYPE_CHECKING:
    from segrun.algorithms.backend import Backend


def resolve(config: AlgoConfig, seed: int) -> Algorithm:
    """Return the algorithm that the configuration names; it takes parameters as YAML says them.

    Parameters
    ----------
    config : AlgoConfig
        Name or import path, and parameters.
    seed : int
        The experiment's seed: what an estimator gets whose ``random_state`` nobody set.

    Raises
    ------
    ConfigError
        If no such algorithm is installed, or `estimator` is not a clusterer.
    """
    if config.estimator is None:
        algorithm = find(config.name)
    else:
        algorithm = replace(from_path(config.estimator), name=_label(config.name))

    def make(backend: Maker, **params: Any) -> Clusterer:
        estimator = algorithm.make(backend, **ready(params))
        # A forgotten random_state would draw from outside of the one seed.
        if estimator.get_params(deep=False).get("random_state", seed) is None:
            estimator.set_params(random_state=seed)
        return estimator

    def fit_grid(
        backend: Maker, X: NDArray[Any], points: Sequence[Mapping[str, Any]]
    ) -> Iterable[Any]:
        assert algorithm.fit_grid is not None
        return algorithm.fit_grid(backend, X, [_seeded(ready(point), seed) for point in points])

    shared = fit_grid if algorithm.fit_grid is not None else None
    return replace(algorithm, make=make, fit_grid=shared)


def _seeded(params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return parameters whose ``random_state``, where nobody set it, is the one seed."""
    if params.get("random_state", seed) is None:
        return {**params, "random_state": seed}
    return dict(params)


def _label(name: str) -> str:
    # It names a folder and the step of a pipeline, where __ has a meaning of its own.
    if not re.fullmatch(r"[\w.-]+", name) or "__" in name:
        raise ConfigError(
            f"algo.name={name!r} names a folder: use letters, digits, dot, dash and single "
            "underscores"
        )
    return name


def check(config: AlgoConfig, backend: Backend, seed: int) -> None:
    """Make the estimator of every point once, and refuse what cannot be fitted.

    Raises
    ------
    ConfigError
        Naming the key, its value and what is allowed.
    BackendError
        If the backend is required and has no such estimator.
    """
    algorithm = resolve(config, seed)
    for point in points(config):
        estimator = _make(algorithm, backend.plain(), point, config)
        _validate(estimator, point, config)
        backend.demand(estimator)


def _make(algorithm: Algorithm, backend: Backend, point: Point, config: AlgoConfig) -> Clusterer:
    try:
        return algorithm.make(backend, **point.params)
    except (TypeError, ValueError) as error:
        # A plugin's own signature: the backend's complaints are ConfigError already.
        original = algorithm if config.estimator else find(config.name)
        options = [
            name
            for name, parameter in list(inspect.signature(original.make).parameters.items())[1:]
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        known = f" Its own parameters: {', '.join(options)}" if options else ""
        raise ConfigError(
            f"algo.params of {config.name} cannot be used at the point {point.slug}: "
            f"{error}.{known}"
        ) from error


def _validate(estimator: Clusterer, point: Point, config: AlgoConfig) -> None:
    # scikit-learn's own rules, which it applies in fit; a plugin's estimator may have none.
    validate = getattr(estimator, "_validate_params", None)
    if validate is None or not hasattr(estimator, "_parameter_constraints"):
        return
    try:
        validate()
    except ValueError as error:
        found = re.match(r"The '(\w+)' parameter", str(error))
        name = found[1] if found else ""
        if name not in point.params:
            raise ConfigError(f"algo.params at the point {point.slug}: {error}") from error
        varies = name in config.grid and config.params[name] is None
        key = f"algo.{'grid' if varies else 'params'}.{name}"
        raise ConfigError(f"{key}: {error}") from error
