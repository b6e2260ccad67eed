"""Evaluation: scores of all points of a grid together, and the choice of the best point."""

from typing import TYPE_CHECKING, Any

from segrun.evaluate.check import check
from segrun.evaluate.select import select

if TYPE_CHECKING:
    from segrun.evaluate.scores import Scores, evaluate

__all__ = ["Scores", "check", "evaluate", "select"]


def __getattr__(name: str) -> Any:
    # Late: scores import scikit-learn, and a bad value must be told before that.
    if name in {"Scores", "evaluate"}:
        from segrun.evaluate import scores

        return getattr(scores, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
