"""The one seed, and the generators that each part derives from it."""

from __future__ import annotations

import zlib

import numpy as np

#: scikit-learn's ``random_state`` takes nothing larger.
MAX_SEED = 2**32 - 1


def generator(seed: int, part: str) -> np.random.Generator:
    """Return the random generator of one part of a run.

    Parameters
    ----------
    seed : int
        The experiment's seed, 0 to ``MAX_SEED``.
    part : str
        Name of the part, such as ``augment``: parts draw independently of each other, so
        that switching one of them off changes no other.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(part.encode())]))
