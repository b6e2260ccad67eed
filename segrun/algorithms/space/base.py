"""One choice of every searched group, and what is drawn on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segrun.algorithms.space.dimension import Dimension


@dataclass(frozen=True)
class Base:
    """One choice of every searched group, and what is drawn on it.

    Attributes
    ----------
    choices : mapping of str to str
        Option by group.
    dimensions : mapping of str to Dimension
        By full key, such as ``algo.params.n_clusters``.
    """

    choices: Mapping[str, str]
    dimensions: Mapping[str, Dimension]
