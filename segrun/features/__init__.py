"""Features: one row per customer from whatever a dataset delivers."""

from segrun.features.build import (
    build,
    check,
    check_mergeable,
    column_names,
    define,
    feature_names,
    feature_set_of,
    text_names,
)
from segrun.features.built import Built

__all__ = [
    "Built", "build", "check", "check_mergeable", "column_names", "define", "feature_names",
    "feature_set_of", "text_names",
]  # fmt: skip
