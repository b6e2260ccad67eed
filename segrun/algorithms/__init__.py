"""Algorithms: the contract, the registry of plugins and the built-ins."""

from segrun.algorithms.grid import Point, points
from segrun.algorithms.registry import identity, origin
from segrun.algorithms.resolution import check, resolve

__all__ = ["Point", "check", "identity", "origin", "points", "resolve"]
