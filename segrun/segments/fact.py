"""One fact about a segment, and how far a segment lies apart from all others in one column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Below it an effect is negligible: Romano et al. (2006), Appropriate statistics for ordinal level
#: data, Annual meeting of the Florida Association of Institutional Research.
NEGLIGIBLE = 0.147
#: From it on an effect is large, by the same.
LARGE = 0.474


@dataclass(frozen=True)
class Fact:
    """One thing that sets a segment apart."""

    column: str  # months or weekdays where it is about all of them
    clustered: bool  # whether the algorithm saw the column
    effect: float  # Cliff's delta against all other customers, -1 to 1; of shares their difference
    text: str  # the sentence
    word: str = ""  # what a segment may be called for it; empty where it is no name
    most: str = ""  # what it may be called that has the most of it; empty where another has as much


def cliffs_delta(
    values: NDArray[np.float64], codes: NDArray[np.int64], n_segments: int
) -> NDArray[np.float64]:
    """Return Cliff's delta of each segment against all other customers.

    The probability that a customer of the segment has more than one of the others, less the
    probability that it has less: -1 to 1, 0 where they are alike. Of values 0 and 1 it is the
    difference of the shares. Cliff (1993), Dominance statistics: ordinal analyses to answer
    ordinal questions, Psychological Bulletin 114(3), 494-509.
    """
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    where = codes[known]
    ranks = np.bincount(where, rankdata(values[known]), n_segments)
    own = np.bincount(where, minlength=n_segments).astype(np.float64)
    others = own.sum() - own
    pairs = own * others
    # Mann and Whitney's U from the sum of ranks.
    larger = ranks - own * (own + 1) / 2
    delta: NDArray[np.float64] = np.divide(
        2 * larger - pairs, pairs, out=np.full(n_segments, np.nan), where=pairs > 0
    )
    return delta


def chance(n_own: NDArray[np.int64], n_all: int) -> NDArray[np.float64]:
    """Return the standard deviation that Cliff's delta has where segments mean nothing.

    That of Mann and Whitney's U without ties, scaled; it is larger for small segments.
    """
    others = n_all - n_own
    pairs = 3.0 * n_own * others
    variance = np.divide(n_all + 1, pairs, out=np.full(len(n_own), np.inf), where=pairs > 0)
    return np.asarray(np.sqrt(variance))
