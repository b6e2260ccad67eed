"""The contract of an algorithm plugin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
        Import path of the package folder that holds ``algo/<name>.yaml``.
    """

    name: str
    make: Callable[..., Clusterer]
    conf: str
