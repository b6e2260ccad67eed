"""Algorithms: the contract, the registry of plugins and the built-ins."""

from segrun.algorithms.grid import Point, points
from segrun.algorithms.resolution import check, origin, resolve

__all__ = ["Point", "check", "origin", "points", "resolve"]
