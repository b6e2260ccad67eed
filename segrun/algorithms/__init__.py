"""Algorithms: the contract, the registry of plugins and the built-ins."""

from segrun.algorithms.grid import Point, points
from segrun.algorithms.registry import origin
from segrun.algorithms.resolution import check, resolve

__all__ = ["Point", "check", "origin", "points", "resolve"]
