"""How far single precision, and scikit-learn's own sums, can be trusted near each eps.

scikit-learn adds up squared differences in a k-d tree up to 15 features, |x|² - 2xy + |y|²
beyond and for 11 rows or fewer (`sklearn.neighbors.NearestNeighbors`, algorithm="auto"). Near
eps its answer then hangs on the last bits: in the tree on whether a box counts whole, which
compares roots instead of squares; otherwise on the order in which a linear algebra library adds
up. Such pairs are told apart as being in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.jit import kernel

#: Unit roundoffs.
_SINGLE, _DOUBLE = 2.0**-24, 2.0**-53
#: Features and rows up to which scikit-learn does not use the tree.
_TREE_FEATURES, _FEW_ROWS = 15, 11
#: Numbers on either side of eps² that roots are tried for.
_NEAR = 16
#: Integers up to this are exact.
_EXACT = 2.0**53


class Limits(NamedTuple):
    """What distances are compared with, the smallest eps first."""

    eps: NDArray[np.float64]  # (n_eps,): the eps, scaled as the leaves are
    low: NDArray[np.float64]  # a pair whose squared distance is below is within eps
    high: NDArray[np.float64]  # one whose squared distance is above is not
    slack: NDArray[np.float64]  # (n_eps,): how far `low` and `high` are from eps², scaled
    per_square: float  # both are this far further apart per sum of both rows' squares
    scale2: float  # the square of the scale
    per_length: float  # error of a scaled single-precision distance per sum of both rows' lengths
    per_total: float  # relative error of a squared single-precision distance


def limits(X: NDArray[np.float64], eps: Sequence[float], scale: float) -> Limits:
    """Return the limits for rows of X, scaled by `scale`, at distinct ascending `eps`."""
    n_samples, n_features = X.shape
    tree = n_features <= _TREE_FEATURES and n_samples > _FEW_ROWS
    squares = np.array([e * e for e in eps])
    if sums_are_exact(X, X.view(np.int64)):
        per_square = 0.0
        low, high = np.array([_rooted(e) if tree else _told(e * e) for e in eps]).T
        slack = np.maximum(np.abs(squares - low), np.abs(high - squares))
    else:
        per_square = 0.0 if tree else (4 * n_features + 16) * _DOUBLE
        slack = (4 * n_features + 32) * _DOUBLE * squares
        low, high = squares - slack, squares + slack
    return Limits(
        np.array(eps) * scale,
        np.ascontiguousarray(low),
        np.ascontiguousarray(high),
        slack * scale**2,
        per_square,
        scale**2,
        1.02 * _SINGLE + (8 * n_features + 64) * _DOUBLE,
        1.2 * (n_features + 10) * _SINGLE,
    )


def _told(square: float) -> tuple[float, float]:
    return math.nextafter(square, math.inf), square


def _rooted(eps: float) -> tuple[float, float]:
    """Return the least and the largest sum for which comparing roots tells another story."""
    sums = [eps * eps]
    for _ in range(_NEAR):
        sums = [math.nextafter(sums[0], 0.0), *sums, math.nextafter(sums[-1], math.inf)]
    # Not math.sqrt: scikit-learn takes the power of 0.5.
    other = [s for s in sums if (s <= eps * eps) != (math.pow(s, 0.5) <= eps)]
    return (min(other), max(other)) if other else _told(eps * eps)


@kernel
def sums_are_exact(X, bits):  # type: ignore[no-untyped-def]
    """Tell whether no sum of products of values is rounded, as with integers.

    `bits` are the values' bits. All values are multiples of some power of two, and few digits
    long.
    """
    most, finest = 0.0, 1.0e300
    for i in range(X.shape[0]):
        for d in range(X.shape[1]):
            value = abs(X[i, d])
            if value == 0:
                continue
            lowest = bits[i, d] & -bits[i, d]
            exponent = (bits[i, d] >> 52) & 2047
            # The step that is the lowest bit of the value that is set.
            if lowest >= 1 << 52:
                step = 2.0 ** (exponent - 1023)
            else:
                step = 2.0 ** (exponent - 1075) * lowest
            most, finest = max(most, value), min(finest, step)
        units = most / finest
        if units * units * 4 * X.shape[1] > _EXACT:
            return False
    return True
