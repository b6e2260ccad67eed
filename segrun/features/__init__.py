"""Features: one row per customer from transactions."""

from segrun.features.build import Built, build
from segrun.features.check import check, feature_names

__all__ = ["Built", "build", "check", "feature_names"]
