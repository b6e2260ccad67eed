"""k-means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from segrun.algorithms.base import Algorithm, Clusterer, Maker
from segrun.algorithms.grid import fit_together, shares


def make(backend: Maker, **params: Any) -> Clusterer:
    """Return the backend's KMeans."""
    return backend.make("KMeans", **params)


def fit_grid(backend: Maker, X: NDArray[Any], points: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Yield the model of every point; the kernels share what points have in common."""
    return fit_together([make(backend, **point) for point in points], X)


#: As scikit-learn itself has it for its KMeans.
_WEIGHTS = "a row of weight 2 and two equal rows draw other starting centres"

algorithm = Algorithm(
    name="kmeans",
    make=make,
    conf="segrun.conf",
    fit_grid=fit_grid,
    shares=shares,
    expected_failed_checks={
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
    },
)
