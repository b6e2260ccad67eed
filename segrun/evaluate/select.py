"""The choice of the best point of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segrun.evaluate.scores import Scores


def select(scores: Mapping[str, Scores], max_noise_share: float) -> str | None:
    """Return the point with the best silhouette among those with little enough noise.

    Without the limit an algorithm that marks noise could win by discarding customers, since
    the silhouette is over the rows that are in a cluster.

    Parameters
    ----------
    scores : mapping of str to Scores
        Scores per point.
    max_noise_share : float
        A point qualifies only if at most this share of the rows is noise, 0 to 1.

    Returns
    -------
    str or None
        The point; of several equally good ones the first. None where no point qualifies.
    """
    silhouettes = {
        point: score.silhouette
        for point, score in scores.items()
        if score.silhouette is not None and score.noise_share <= max_noise_share
    }
    return max(silhouettes, key=silhouettes.__getitem__, default=None)
