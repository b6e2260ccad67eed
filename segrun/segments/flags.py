"""What is odd about one segment, in words."""

from __future__ import annotations

from segrun.formats import percent_in_text
from segrun.segments.stability import DISSOLVED

_GIANT_SHARE = 0.9


def flags(size: int, share: float, jaccard: float | None) -> list[str]:
    """Return what is odd about a segment.

    Parameters
    ----------
    size : int
        Customers in it.
    share : float
        Of all customers that are in a segment.
    jaccard : float or None
        Mean Jaccard index with what refits to samples find; None where it is not known.
    """
    told = []
    if size == 1:
        told.append("a single customer")
    if share > _GIANT_SHARE:
        told.append(f"holds {percent_in_text(share)} of all customers")
    if jaccard is not None and jaccard <= DISSOLVED:
        told.append(f"dissolves: refits to samples find it with a Jaccard index of {jaccard:.2f}")
    return told
