"""DBSCAN."""

from __future__ import annotations

from typing import Any

from segrun.algorithms.base import Algorithm, Clusterer, Maker


def make(backend: Maker, **params: Any) -> Clusterer:
    """Return the backend's DBSCAN."""
    return backend.make("DBSCAN", **params)


algorithm = Algorithm(name="dbscan", make=make, conf="segrun.conf")
