"""fast_hdbscan's HDBSCAN, for any table that scikit-learn's own takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from fast_hdbscan import HDBSCAN
from sklearn.utils.validation import validate_data

MAX_FEATURES = 30


class FastHDBSCAN(HDBSCAN):
    """HDBSCAN whose input is checked; the parameters are fast_hdbscan's.

    fast_hdbscan 0.3 raises TypeError for Fortran-ordered input, takes rows with NaN for noise,
    and changes for more than 30 features to another library, whose neighbours are approximate.
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **fit_params: Any) -> Any:
        """Find the clusters of X of shape (n_samples, n_features)."""
        X = validate_data(self, X, dtype=np.float64, order="C", ensure_min_samples=2)
        if X.shape[1] > MAX_FEATURES:
            raise ValueError(
                f"fast_hdbscan is exact for up to {MAX_FEATURES} features. Got {X.shape[1]} "
                "instead: take fewer (transform=pca), or algo=hdbscan"
            )
        return super().fit(X, y, sample_weight, **fit_params)

    def __sklearn_tags__(self) -> Any:
        """Say that sparse tables are refused."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
