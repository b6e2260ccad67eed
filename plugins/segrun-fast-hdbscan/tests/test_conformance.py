"""segrun's conformance suite on fast_hdbscan."""

from segrun.testing import AlgorithmConformance


class TestFastHdbscan(AlgorithmConformance):
    name = "fast_hdbscan"
