"""The built-ins pass the suite that plugins must pass."""

import pytest

from segrun.algorithms.testing import AlgorithmConformance

pytestmark = pytest.mark.heavy


class TestKmeans(AlgorithmConformance):
    name = "kmeans"


class TestKmeansOfScikitLearn(AlgorithmConformance):
    name = "kmeans"
    backend = "sklearn"


class TestKmeansOfKernels(AlgorithmConformance):
    name = "kmeans"
    backend = "native"


class TestDbscan(AlgorithmConformance):
    name = "dbscan"
    # A border row between two clusters is assigned to the nearer one.
    min_agreement = 0.98


class TestDbscanOfKernels(AlgorithmConformance):
    name = "dbscan"
    backend = "native"
    min_agreement = 0.98


class TestBirch(AlgorithmConformance):
    """By YAML alone."""

    name = "birch"
