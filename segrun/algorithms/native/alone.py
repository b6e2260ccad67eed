"""One estimator fitted on its own: by the kernels where they can, else by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from segrun.algorithms.native.table import unfit


def fit_alone(model: Any, X: Any, sample_weight: Any) -> Any:
    """Fit an estimator that has `uncovered`, `fit_together` and `fit_stock`; return it.

    Parameters
    ----------
    model : DBSCAN or KMeans
        Of `segrun.algorithms.native.estimators`.
    X : array of shape (n_samples, n_features)
        As scikit-learn's ``fit`` takes it.
    sample_weight : array of shape (n_samples,) or None
        Where there are any, scikit-learn fits.
    """
    reason = model.uncovered() or unfit(X)
    if sample_weight is not None:
        reason = "the kernels know no weights"
    if reason:
        return model.fit_stock(X, sample_weight, reason)
    model._validate_params()
    rows = validate_data(model, X, dtype=np.float64, order="C")
    return next(model.fit_together([model], rows))
