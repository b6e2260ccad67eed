"""fast_hdbscan for segrun.

`fast_hdbscan <https://github.com/TutteInstitute/fast_hdbscan>`_ is HDBSCAN with numba: clusters
of any shape and density, the rest is noise. It compiles when it is first imported (half a
minute), and keeps what it compiled beside itself or in the user's cache; where neither can be
written, set NUMBA_CACHE_DIR.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from segrun.algorithms.base import Algorithm, Clusterer, Maker


def make(_backend: Maker, **params: Any) -> Clusterer:
    """Return fast_hdbscan's HDBSCAN, imported here: segrun looks at plugins when it starts."""
    from segrun_fast_hdbscan.clusterer import FastHDBSCAN

    estimator: Clusterer = FastHDBSCAN(**params)
    return estimator


def assign(model: Any, X: NDArray[Any]) -> NDArray[np.int64]:
    """Return the label of the nearest row of the fit, if it is as near as its cluster is dense.

    A row is noise where the nearest row of the fit is noise, or farther away than any row of
    its cluster is from its ``min_samples`` nearest ones (the largest core distance).

    Parameters
    ----------
    model : fast_hdbscan.HDBSCAN
        Fitted.
    X : ndarray of shape (n_samples, n_features)
        New rows.
    """
    from sklearn.neighbors import NearestNeighbors

    labels = np.asarray(model.labels_, dtype=np.int64)
    near = NearestNeighbors(n_neighbors=1).fit(model._raw_data)
    distances, rows = near.kneighbors(np.asarray(X, dtype=np.float64))
    nearest = rows[:, 0]
    found = labels[nearest]
    reach = np.zeros(labels.max() + 2)
    np.maximum.at(reach, labels, model._core_distances)
    found[distances[:, 0] > reach[found]] = -1
    return found


algorithm = Algorithm(
    name="fast_hdbscan", make=make, conf="segrun_fast_hdbscan.conf", assign=assign
)
