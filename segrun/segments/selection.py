"""What is to be said of the choice of a point: none was good enough, or it has a drawback."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segrun.config import EvaluationConfig
from segrun.evaluation.limits import UNCONVERGED, broken_limits
from segrun.segments.clusters import of_clusters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segrun.evaluation.scores import Scores
    from segrun.rundir.customers import Customers

log = logging.getLogger("segrun.runner.run")


def cautions(labels: NDArray[np.int64], score: Scores, customers: Customers) -> list[str]:
    """Return what makes the clusters of a point less than they look, in sentences.

    Parameters
    ----------
    labels : ndarray of int64, shape (n_samples,)
        Labels of the point.
    score : Scores
        What is known of it.
    customers : Customers
        The rows that were clustered; features are not needed.
    """
    found = of_clusters(labels, score.sizes, customers, lambda label: f"The cluster {label}")
    unconverged = [unconverged_text()] if score.converged is False else []
    return [*unconverged, *(caution["text"] for caution in found)]


def unconverged_text() -> str:
    """Return what to say of a point that did not converge."""
    return (
        "The fit did not converge: more iterations (algo.params.max_iter) would give other clusters"
    )


def tell_of_left_out(
    scores: Mapping[str, Scores], selected: str | None, limits: EvaluationConfig
) -> None:
    """Warn of points that are not selected for want of convergence, and where none is selected."""
    broken = {slug: broken_limits(score, limits) for slug, score in scores.items()}
    n_unconverged = sum(UNCONVERGED in text for text in broken.values())
    if n_unconverged:
        log.warning(
            "%d of %d points did not converge and are not selected: raise algo.params.max_iter, or "
            "allow them with evaluation.allow_unconverged=true", n_unconverged, len(scores),
        )  # fmt: skip
    if selected is None and scores:
        _warn_of_none(scores, [text for text in broken.values() if text], limits)


def _warn_of_none(scores: Mapping[str, Any], broken: list[str], limits: EvaluationConfig) -> None:
    """Say why no point is selected."""
    if len(broken) < len(scores):
        log.warning(
            "no point is selected: the criterion %s (evaluation.criterion) is defined for none "
            "of the %d points within the limits",
            limits.criterion.value, len(scores) - len(broken),
        )  # fmt: skip
        return
    log.warning(
        "no point is selected: none is within the limits of evaluation. The least noise_share of "
        "all points is %.3f; the first point: %s",
        min(score.noise_share for score in scores.values()), broken[0],
    )  # fmt: skip
