"""The one seed, and the generators that each part derives from it."""

from __future__ import annotations

import zlib

import numpy as np

#: scikit-learn's ``random_state`` takes nothing larger.
MAX_SEED = 2**32 - 1


def generator(seed: int, part: str, block: int = 0) -> np.random.Generator:
    """Return the random generator of one part of a run.

    Parameters
    ----------
    seed : int
        The experiment's seed, 0 to ``MAX_SEED``.
    part : str
        Name of the part, such as ``augment``: parts draw independently of each other, so
        that switching one of them off changes no other.
    block : int, default=0
        Number of a block, where the part works in blocks that draw independently.
    """
    # A zero at the end changes nothing: NumPy fills up with zeros.
    entropy = [seed, zlib.crc32(part.encode()), block]
    return np.random.default_rng(np.random.SeedSequence(entropy))
