"""segrun's conformance suite on fast_hdbscan."""

from segrun.algorithms.testing import AlgorithmConformance


class TestFastHdbscan(AlgorithmConformance):
    name = "fast_hdbscan"
