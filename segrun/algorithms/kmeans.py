"""k-means."""

from __future__ import annotations

from typing import Any

from segrun.algorithms.base import Algorithm, Clusterer, Maker


def make(backend: Maker, **params: Any) -> Clusterer:
    """Return the backend's KMeans."""
    return backend.make("KMeans", **params)


#: As scikit-learn itself has it for its KMeans.
_WEIGHTS = "a row of weight 2 and two equal rows draw other starting centres"

algorithm = Algorithm(
    name="kmeans",
    make=make,
    conf="segrun.conf",
    expected_failed_checks={
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
    },
)
