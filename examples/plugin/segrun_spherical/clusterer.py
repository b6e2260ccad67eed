"""k-means on the unit sphere: what counts is the mix of the features, not their size."""

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted, validate_data


class SphericalKMeans(ClusterMixin, BaseEstimator):
    """k-means of rows that are scaled to length 1.

    Parameters
    ----------
    n_clusters : int, default=3
        Number of clusters, at most: directions that no row has are left out.
    random_state : int, RandomState or None, default=None
        Draws the starting centres.
    """

    def __init__(self, n_clusters=3, random_state=None):
        self.n_clusters = n_clusters
        self.random_state = random_state

    def fit(self, X, y=None):
        """Find the clusters of X of shape (n_samples, n_features)."""
        directions = normalize(validate_data(self, X, dtype=np.float64, order="C"))
        n_clusters = min(self.n_clusters, len(np.unique(directions, axis=0)))
        self.kmeans_ = KMeans(n_clusters, n_init=1, random_state=self.random_state)
        self.kmeans_.fit(directions)
        self.labels_ = self.kmeans_.labels_
        return self

    def predict(self, X):
        """Return the nearest direction of each row."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        return self.kmeans_.predict(normalize(X))
