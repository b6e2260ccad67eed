"""Sums of finer units than usual, entity by entity: each with the places that its values need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.features.lines import ERROR, USUAL_PLACES
from segrun.features.sums import Measure, Sums

#: Whole units, and their decimal places.
Exact = tuple[int, int]


def usual(units: int) -> Exact:
    """Return a sum in the usual units."""
    return units, USUAL_PLACES


def added(one: Exact, other: Exact) -> Exact:
    """Return the sum of two."""
    places = max(one[1], other[1])
    return sum(units * 10 ** (places - own) for units, own in (one, other)), places


def differing(strict: Sums | None, units: NDArray[np.int64]) -> dict[int, Exact]:
    """Return by row the strict sums that are not the usual ones.

    Parameters
    ----------
    strict : Sums or None
        None: all are.
    units : ndarray of int64, shape (n_entities,)
        The usual ones.
    """
    if strict is None:
        return {}
    found = enumerate(zip(strict.units, units.tolist(), strict=True))
    own, most = strict.places, USUAL_PLACES
    return {i: (int(a), own) for i, (a, b) in found if int(a) * 10**most != b * 10**own}


def together(
    measure: Measure, units: Sequence[int], finer: Sequence[Exact | None], *, any_finer: bool
) -> Sums:
    """Return the sums of a measure as one read of all rows gives them.

    Parameters
    ----------
    measure : Measure
        What is summed.
    units : sequence of int
        In the usual units.
    finer : sequence of Exact or None
        Those that are not the usual ones.
    any_finer : bool
        Whether any value of all entities has finer units: products are then taken strictly.
    """
    strict = any_finer or measure.error <= ERROR
    places = max((exact[1] for exact in finer if exact is not None), default=0)
    if not strict or not places:
        return Sums(np.array(units, dtype=np.int64), USUAL_PLACES)
    zero: Any = (0, max(places, USUAL_PLACES))
    found = [
        added(zero, usual(u) if exact is None else exact)
        for u, exact in zip(units, finer, strict=True)
    ]
    return Sums([total for total, _ in found], zero[1])
