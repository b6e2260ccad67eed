"""Features: one row per customer from whatever a dataset delivers."""

from segrun.features.build import build, check_mergeable, define
from segrun.features.built import Built
from segrun.features.check import check, column_names, feature_names, text_names

__all__ = [
    "Built", "build", "check", "check_mergeable", "column_names", "define", "feature_names",
    "text_names",
]  # fmt: skip
