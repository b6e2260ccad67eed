"""segrun's conformance suite."""

from segrun.algorithms.testing import AlgorithmConformance


class TestSpherical(AlgorithmConformance):
    name = "spherical"
