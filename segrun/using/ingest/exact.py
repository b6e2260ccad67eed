"""Exact sums beyond the usual units, entity by entity: each with the places that it needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segrun.features.sums import USUAL_PLACES, Sums

#: Whole units, and their decimal places.
Exact = tuple[int, int]


def usual(units: int) -> Exact:
    """Return a sum in the usual units."""
    return units, USUAL_PLACES


def added(one: Exact, other: Exact) -> Exact:
    """Return the sum of two."""
    places = max(one[1], other[1])
    return sum(units * 10 ** (places - own) for units, own in (one, other)), places


def differing(finer: Sums | None, units: NDArray[np.int64]) -> dict[int, Exact]:
    """Return by row the exact sums that are not the usual ones.

    Parameters
    ----------
    finer : Sums or None
        None: all are.
    units : ndarray of int64, shape (n_entities,)
        The usual ones.
    """
    if finer is None:
        return {}
    found = enumerate(zip(finer.units, units.tolist(), strict=True))
    own, most = finer.places, USUAL_PLACES
    return {i: (int(a), own) for i, (a, b) in found if int(a) * 10**most != b * 10**own}


def together(units: Sequence[int], exact: Sequence[Exact | None]) -> Sums:
    """Return the sums of a measure as one read of all rows gives them.

    Parameters
    ----------
    units : sequence of int
        In the usual units.
    exact : sequence of Exact or None
        Those that are not the usual ones.
    """
    places = max((one[1] for one in exact if one is not None), default=0)
    if not places:
        return Sums(np.array(units, dtype=np.int64), USUAL_PLACES)
    zero: Exact = (0, max(places, USUAL_PLACES))
    found = [
        added(zero, usual(u) if one is None else one) for u, one in zip(units, exact, strict=True)
    ]
    return Sums([total for total, _ in found], zero[1])
