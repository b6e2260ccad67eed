"""The estimators that the kernels fit, each a subclass of scikit-learn's of the same name."""

from segrun.native.dbscan.estimator import DBSCAN
from segrun.native.kmeans import KMeans

__all__ = ["DBSCAN", "KMeans"]
