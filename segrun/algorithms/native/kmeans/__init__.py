"""k-means over a whole grid: one trajectory per start serves every tolerance."""

from segrun.algorithms.native.kmeans.grid import KMeansFit, Start, fit_grid

__all__ = ["KMeansFit", "Start", "fit_grid"]
