"""DBSCAN over a whole grid: one search for neighbours serves every point."""

from segrun.algorithms.native.dbscan.grid import fit_grid
from segrun.algorithms.native.dbscan.points import AmbiguousError

__all__ = ["AmbiguousError", "fit_grid"]
