"""The tables that the suite runs every algorithm on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SEED = 7


def tables() -> dict[str, NDArray[np.float64]]:
    """Return the tables that every algorithm is run on, by name; C order, writable."""
    rng = np.random.default_rng(_SEED)
    centres = rng.uniform(-6, 6, size=(5, 4))
    blobs = centres[rng.integers(0, 5, 400)] + rng.normal(0, 0.4, size=(400, 4))
    noisy = np.concatenate([blobs[:300], rng.uniform(-9, 9, size=(60, 4))])
    skewed = rng.lognormal(0, 1, size=(350, 3))
    return {
        "blobs": blobs,
        "blobs and noise": noisy,
        "skewed": (skewed - skewed.mean(axis=0)) / skewed.std(axis=0),
    }
