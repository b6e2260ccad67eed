"""The choice of the best point of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segrun.config import Criterion, EvaluationConfig
from segrun.evaluation.knee import knee
from segrun.evaluation.limits import broken_limits

if TYPE_CHECKING:
    from segrun.evaluation.scores import Scores

#: Values of one point: ``n_clusters``, ``inertia`` and the scores; None where undefined.
Values = Mapping[str, float | None]


def select(
    scores: Mapping[str, Scores],
    config: EvaluationConfig,
    inertias: Mapping[str, float | None] | None = None,
) -> str | None:
    """Return the best point, by the criterion, of those within the limits.

    Without limits an algorithm that marks noise could win by discarding customers, since the
    scores are over the rows that are in a cluster.

    Parameters
    ----------
    scores : mapping of str to Scores
        Scores per point.
    config : EvaluationConfig
        Limits and criterion.
    inertias : mapping of str to float or None, optional
        Inertia per point, which an elbow needs.

    Returns
    -------
    str or None
        The point; of several equally good ones the first. None where no point qualifies.
    """
    known = inertias or {}
    within = {
        point: {
            "n_clusters": score.n_clusters,
            "inertia": known.get(point),
            "silhouette": score.silhouette,
            "davies_bouldin": score.davies_bouldin,
            "calinski_harabasz": score.calinski_harabasz,
        }
        for point, score in scores.items()
        if not broken_limits(score, config)
    }
    return best(within, config.criterion)


def best(points: Mapping[str, Values], criterion: Criterion) -> str | None:
    """Return the point that a criterion would pick, of equals the first; None without any."""
    if criterion is Criterion.elbow:
        return _at_the_knee(points)
    name = criterion.value
    known = {
        point: value for point, values in points.items() if (value := values[name]) is not None
    }
    choose = min if criterion is Criterion.davies_bouldin else max
    return choose(known, key=known.__getitem__, default=None)


def _at_the_knee(points: Mapping[str, Values]) -> str | None:
    # Several points may have one number of clusters: the tightest stands for it.
    tightest: dict[int, tuple[float, str]] = {}
    for point, values in points.items():
        count, inertia = values["n_clusters"], values["inertia"]
        if count is None or inertia is None:
            continue
        known = tightest.get(int(count))
        if known is None or inertia < known[0]:
            tightest[int(count)] = (inertia, point)
    found = knee({count: inertia for count, (inertia, _) in tightest.items()})
    return None if found is None else tightest[found][1]
