"""Which point of the grid: every criterion asked, within the limits of the run."""

from __future__ import annotations

from segrun.algorithms.grid import points
from segrun.config import StabilityConfig
from segrun.rundir.finished import FinishedRun
from segrun.segments.clustering import Clustering
from segrun.segments.criteria import Choice, Rated, choices, rated, within_limits
from segrun.segments.stability import grid_stability

#: Numbers of segments whose stability is compared, at the most.
_MOST = 12


def chosen(
    run: FinishedRun, clustering: Clustering, config: StabilityConfig
) -> tuple[list[Choice], str]:
    """Return what each criterion would pick, and what is to be said of the limits.

    Parameters
    ----------
    run : FinishedRun
        The run.
    clustering : Clustering
        The point that is described.
    config : StabilityConfig
        Whether stability is judged.
    """
    limits = clustering.experiment.evaluation
    every = rated(run.scores)
    within = within_limits(every, limits)
    told = ""
    if not within:
        told = f"None of the {len(every)} points satisfies the limits of evaluation"
    elif clustering.point.slug not in within:
        told = f"The point {clustering.point.slug} breaks the limits of evaluation"
    stable = _stability(run, clustering, within) if config.refits else {}
    return choices(within, stable), told


def _stability(
    run: FinishedRun, clustering: Clustering, within: dict[str, Rated]
) -> dict[str, float]:
    """Return stability by point, where points differ in the number of segments they ask for."""
    experiment = clustering.experiment
    by_slug = {point.slug: point for point in points(experiment.algo)}
    # Points that ask for the same number differ little: the first stands for them.
    first: dict[int, str] = {}
    for slug, point in within.items():
        asked = by_slug[slug].params
        if asked.get("n_clusters", asked.get("n_components")) == point.n_clusters >= 2:
            first.setdefault(point.n_clusters, slug)
    if not 2 <= len(first) <= _MOST:
        return {}
    labels = {slug: run.labels(slug) for slug in first.values()}
    params = {slug: by_slug[slug].params for slug in first.values()}
    return grid_stability(experiment, clustering.Z, labels, params)
