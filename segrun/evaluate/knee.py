"""The knee of the inertia curve."""

from __future__ import annotations

import warnings
from collections.abc import Mapping


def knee(inertia: Mapping[int, float]) -> int | None:
    """Return the number of clusters after which the inertia falls slowly; None without a knee.

    Satopaa, Albrecht, Irwin and Raghavan (2011), Finding a "Kneedle" in a Haystack, 31st ICDCS
    Workshops, 166-171.

    Parameters
    ----------
    inertia : mapping of int to float
        Inertia by number of clusters; fewer than three have no knee.
    """
    if len(inertia) < 3:
        return None
    from kneed import KneeLocator

    counts = sorted(inertia)
    with warnings.catch_warnings():
        # A curve without a knee is an answer, not a fault.
        warnings.simplefilter("ignore")
        found = KneeLocator(
            counts, [inertia[k] for k in counts], curve="convex", direction="decreasing"
        ).knee
    return None if found is None else int(found)
