"""k-means over a whole grid: one trajectory per start serves every tolerance."""

from segrun.algorithms.native.kmeans.grid import Start, fit_grid
from segrun.algorithms.native.kmeans.trajectory import KMeansFit

__all__ = ["KMeansFit", "Start", "fit_grid"]
