"""The estimators that the kernels fit, each a subclass of scikit-learn's of the same name."""

from segrun.algorithms.native.dbscan.estimator import DBSCAN
from segrun.algorithms.native.kmeans import KMeans

__all__ = ["DBSCAN", "KMeans"]
