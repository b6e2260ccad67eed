"""From ``algo.*`` to an algorithm whose every point can be made, before any data is read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from segrun.algorithms.base import Algorithm, Clusterer, Maker
from segrun.algorithms.grid import Point, points
from segrun.algorithms.registry import find
from segrun.config import AlgoConfig
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean

if TYPE_CHECKING:
    from segrun.algorithms.backend import Backend


def from_path(path: str) -> Algorithm:
    """Return the algorithm that a scikit-learn class is."""
    # Late: scikit-learn takes over a second to import.
    from sklearn.base import ClusterMixin, DensityMixin

    cls = locate(path, "algo.estimator")
    # Mixtures are density estimators by their mixin, and clusterers by their fit_predict.
    clusters = inspect.isclass(cls) and issubclass(cls, (ClusterMixin, DensityMixin))
    if not clusters or not callable(getattr(cls, "fit_predict", None)) or inspect.isabstract(cls):
        raise ConfigError(
            f"algo.estimator={path} is not a clusterer: it needs fit_predict and to be a "
            "scikit-learn clusterer or mixture, such as sklearn.cluster.Birch or "
            "sklearn.mixture.GaussianMixture"
        )

    def make(backend: Maker, **params: Any) -> Clusterer:
        return backend.make(path, **params)

    return Algorithm(name=cls.__name__.lower(), make=make, conf="segrun.conf")


def locate(path: str, key: str) -> Any:
    """Return the class or function that scikit-learn defines under an import path."""
    module_name, _, name = path.rpartition(".")
    # A committed configuration runs no other code.
    if module_name.partition(".")[0] != "sklearn":
        raise ConfigError(
            f"{key}={path} is not a path below sklearn, such as sklearn.cluster.Birch. Other "
            "code attaches as a plugin: an entry point of the group segrun.algorithms"
        )
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"{key}={path}: no module {module_name} ({error}). Clusterers are in sklearn.cluster "
            "and sklearn.mixture"
        ) from error
    public = sorted(set(getattr(module, "__all__", ())) or {n for n in vars(module) if n[0] != "_"})
    found = getattr(module, name, None)
    if found is None:
        raise ConfigError(
            f"{key}={path}: {module_name} has no {name}.{did_you_mean(name, public)} "
            f"It has: {', '.join(public)}"
        )
    # Modules hold names that they only import; those of other packages are not meant.
    if not str(getattr(found, "__module__", "")).startswith("sklearn."):
        raise ConfigError(f"{key}={path} is not defined by scikit-learn")
    return found


def stock_class(estimator: str) -> type:
    """Return the class that a plugin names: a bare scikit-learn name or any import path."""
    module_name, _, name = estimator.rpartition(".")
    places = [module_name] if module_name else ["sklearn.cluster", "sklearn.mixture"]
    known: list[str] = []
    for place in places:
        module = import_module(place)
        cls = getattr(module, name, None)
        if isinstance(cls, type):
            return cls
        known += getattr(module, "__all__", ())
    raise ConfigError(
        f"{' and '.join(places)} have no estimator {name!r}.{did_you_mean(name, known)} "
        "Give the full import path of one that is elsewhere"
    )


def check_parameters(called: Any, params: Iterable[str], key: str = "algo.params") -> None:
    """Refuse parameters that an estimator's constructor, or a function, lacks."""
    options = list(inspect.signature(called).parameters)
    for name in params:
        if name not in options:
            raise ConfigError(
                f"{key}.{name}: {called.__name__} has no parameter {name!r}."
                f"{did_you_mean(name, options)} Parameters: {', '.join(options)}"
            )


def ready(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as estimators take them, from what YAML can say.

    A mapping with the key ``function``, an import path below ``sklearn``, becomes that
    function with the mapping's other entries filled in; a list under ``init`` becomes an
    array of shape (n_clusters, n_features).
    """
    return {name: _ready(name, value) for name, value in params.items()}


def within_rows(estimator: Any, n_rows: int) -> None:
    """Let a function that asks for each row's nearest rows take all others where there are fewer.

    scikit-learn refuses more neighbours than rows, where all of them are meant.
    """
    params = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    for name, value in params.items():
        if isinstance(value, partial) and value.keywords.get("n_neighbors", 0) >= n_rows > 1:
            fewer = {**value.keywords, "n_neighbors": n_rows - 1}
            estimator.set_params(**{name: partial(value.func, *value.args, **fewer)})


def _ready(name: str, value: Any) -> Any:
    if name == "init" and isinstance(value, list):
        return _array(value)
    if not isinstance(value, Mapping) or "function" not in value:
        return value
    key = f"algo.params.{name}"
    function = locate(str(value["function"]), f"{key}.function")
    if not inspect.isfunction(function):
        raise ConfigError(f"{key}.function={value['function']} is not a function")
    entries = {str(entry): given for entry, given in value.items() if entry != "function"}
    check_parameters(function, entries, key)
    return partial(function, **entries)


def _array(value: list[Any]) -> Any:
    import numpy as np

    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"algo.params.init must be rows of equally many numbers, one per cluster: {error}"
        ) from error


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
