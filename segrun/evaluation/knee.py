"""The knee of the inertia curve."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any

_PYPLOT = "matplotlib.pyplot"


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
    counts = sorted(inertia)
    with warnings.catch_warnings():
        # A curve without a knee is an answer, not a fault.
        warnings.simplefilter("ignore")
        found = _locator()(
            counts, [inertia[k] for k in counts], curve="convex", direction="decreasing"
        ).knee
    return None if found is None else int(found)


def _locator() -> Any:
    # kneed imports pyplot for drawings of its own, which takes longer than all that is done here:
    # where nobody has it yet, it is hidden meanwhile.
    hidden = _PYPLOT not in sys.modules
    if hidden:
        sys.modules[_PYPLOT] = None  # type: ignore[assignment]
    try:
        from kneed import KneeLocator
    finally:
        if hidden:
            del sys.modules[_PYPLOT]
    return KneeLocator
