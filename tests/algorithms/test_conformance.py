"""The built-ins pass the suite that plugins must pass."""

from segrun.testing import AlgorithmConformance


class TestKmeans(AlgorithmConformance):
    name = "kmeans"


class TestKmeansOfScikitLearn(AlgorithmConformance):
    name = "kmeans"
    backend = "sklearn"


class TestDbscan(AlgorithmConformance):
    name = "dbscan"


class TestBirch(AlgorithmConformance):
    """By YAML alone."""

    name = "birch"
