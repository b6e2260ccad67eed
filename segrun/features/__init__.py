"""Features: one row per customer from transactions."""

from segrun.features.build import Built, build
from segrun.features.check import check

__all__ = ["Built", "build", "check"]
