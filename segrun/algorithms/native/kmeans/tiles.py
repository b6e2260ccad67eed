"""Rows in the layout that vector code wants: 64 at a time, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Rows per tile, as `simd` has it.
WIDTH = 64


@dataclass(frozen=True)
class Tiles:
    """Centred rows, exact and in tiles."""

    #: (n_samples, n_features): rows minus their mean, as scikit-learn's k-means has them
    X: NDArray[np.float64]
    mean: NDArray[np.float64]  # (n_features,): the mean
    #: (n_tiles, n_features, 64): the same rounded to single precision; rows missing in the
    #: last tile are 0
    blocks: NDArray[np.float32]
    norms: NDArray[np.float32]  # (n_tiles * 64,): length of every centred row, rounded up
    squares: float  # sum of the squared lengths


def tiles(X: NDArray[np.float64]) -> Tiles:
    """Centre rows and put them into tiles."""
    n_samples, n_features = X.shape
    mean = X.mean(axis=0)
    centred = X - mean
    n_tiles = -(-n_samples // WIDTH)
    blocks = np.zeros((n_tiles, n_features, WIDTH), np.float32)
    whole = n_samples // WIDTH
    inside = centred[: whole * WIDTH].reshape(whole, WIDTH, n_features)
    blocks[:whole] = inside.transpose(0, 2, 1)
    rest = centred[whole * WIDTH :]
    if len(rest):
        blocks[-1, :, : len(rest)] = rest.T
    squares = np.einsum("ij,ij->i", centred, centred)
    norms = np.zeros(n_tiles * WIDTH, np.float32)
    norms[:n_samples] = np.sqrt(squares) * (1 + 1e-6)
    return Tiles(centred, mean, blocks, norms, float(squares.sum()))
