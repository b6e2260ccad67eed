"""DBSCAN over a whole grid: one search for neighbours serves every point."""

from segrun.algorithms.native.dbscan.grid import fit_grid

__all__ = ["fit_grid"]
