"""k-means."""

from __future__ import annotations

from typing import Any

from segrun.algorithms.base import Algorithm, Clusterer, Maker


def make(backend: Maker, **params: Any) -> Clusterer:
    """Return the backend's KMeans."""
    return backend.make("KMeans", **params)


algorithm = Algorithm(name="kmeans", make=make, conf="segrun.conf")
