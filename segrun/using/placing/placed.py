"""Where customers are: segment, label, name, distance and a note of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Placed:
    """Where customers are.

    Attributes
    ----------
    segment : list of int or None
        Number of the segment, -1 for outliers that are a segment of their own; None for those in
        no segment.
    label : list of int or None
        What the model said, noise -1; None for customers that the outlier rule sets aside.
    name : list of str
        Of the segment, empty without one.
    distance : ndarray of float64
        To the centre or nearest core row of the segment, in the transformed space.
    note : list of str
        Why a customer is in no segment, or how it came to one.
    """

    segment: Sequence[int | None]
    label: Sequence[int | None]
    name: Sequence[str]
    distance: NDArray[np.float64]
    note: Sequence[str]

    def among(self, chosen: NDArray[np.bool_], reasons: Sequence[str]) -> Placed:
        """Return the same for all rows of which these were chosen, the others nowhere.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_all,)
            Rows that were placed.
        reasons : sequence of str
            Notes of the others.
        """
        at = np.where(chosen, np.cumsum(chosen) - 1, -1).tolist()
        distance = np.full(len(chosen), np.nan)
        distance[chosen] = self.distance
        return Placed(
            [None if i < 0 else self.segment[i] for i in at],
            [None if i < 0 else self.label[i] for i in at],
            ["" if i < 0 else self.name[i] for i in at],
            distance,
            [reasons[k] if i < 0 else self.note[i] for k, i in enumerate(at)],
        )

    def columns(self) -> Mapping[str, Any]:
        """Return the columns that a result has beside the id."""
        distance = [None if np.isnan(d) else float(d) for d in self.distance]
        return {
            "segment": self.segment, "label": self.label,
            "name": [text or None for text in self.name],
            "distance": distance, "note": [text or None for text in self.note],
        }  # fmt: skip
