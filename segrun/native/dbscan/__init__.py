"""DBSCAN over a whole grid: one search for neighbours serves every point."""

from segrun.native.dbscan.grid import fit_grid
from segrun.native.dbscan.points import AmbiguousError

__all__ = ["AmbiguousError", "fit_grid"]
