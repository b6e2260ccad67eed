"""k-means over a whole grid: one trajectory per start serves every tolerance."""

from segrun.algorithms.native.kmeans.estimator import KMeans

__all__ = ["KMeans"]
