"""The contract of an algorithm plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray


class Clusterer(Protocol):
    """A scikit-learn clusterer: labels are integers from 0, noise is -1."""

    def fit_predict(self, X: NDArray[Any]) -> NDArray[Any]:
        """Fit on X of shape (n_samples, n_features) and return labels of shape (n_samples,)."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters."""

    def set_params(self, **params: Any) -> Any:
        """Change parameters of the constructor."""


class Maker(Protocol):
    """What makes estimators: the backend."""

    def make(self, estimator: str, **params: Any) -> Clusterer:
        """Return the backend's `estimator` (a class name such as KMeans), not yet fitted."""


GridRoad = Callable[[Maker, NDArray[Any], Sequence[Mapping[str, Any]]], Iterable[Any]]


@dataclass(frozen=True)
class Algorithm:
    """What a plugin registers as an entry point of the group ``segrun.algorithms``.

    Attributes
    ----------
    name : str
        What ``algo.name`` says; also the name of the YAML file below ``conf``.
    make : callable
        ``make(backend, **params)`` returns an unfitted scikit-learn clusterer. It asks the
        backend for it (``backend.make("KMeans", **params)``) and never imports
        scikit-learn-intelex.
    conf : str
        Import path of the package folder that holds ``algo/<name>.yaml``: every tunable in
        ``params``, the axes in ``grid``.
    fit_grid : callable, optional
        ``fit_grid(backend, X, points)`` yields one fitted clusterer with ``labels_`` per
        point, in order; a point is a mapping of all parameters. A faster road that gives the
        labels that fitting each point alone gives, exactly.
    shares : callable, optional
        ``shares(estimator)`` tells whether `fit_grid` is the faster road for the estimator that
        `make` gives for a point; default: for any.
    assign : callable, optional
        ``assign(model, X)`` returns labels of new rows, where the clusterer has no ``predict``.
    expected_failed_checks : mapping of str to str
        scikit-learn's estimator checks that fail, each with the reason.
    """

    name: str
    make: Callable[..., Clusterer]
    conf: str
    fit_grid: GridRoad | None = None
    shares: Callable[[Clusterer], bool] | None = None
    assign: Callable[[Any, NDArray[Any]], NDArray[Any]] | None = None
    expected_failed_checks: Mapping[str, str] = field(default_factory=dict)
