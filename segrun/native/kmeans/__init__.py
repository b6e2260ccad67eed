"""k-means over a whole grid: one trajectory per start serves every tolerance."""

from segrun.native.kmeans.estimator import KMeans

__all__ = ["KMeans"]
