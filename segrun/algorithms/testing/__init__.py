"""The conformance suite of algorithm plugins: subclass it, name your algorithm, run pytest.

::

    from segrun.algorithms.testing import AlgorithmConformance


    class TestMine(AlgorithmConformance):
        name = "mine"

It needs pytest (``pip install 'segrun[test]'``) and the plugin installed. scikit-learn's own
estimator checks are part of it; those that `Algorithm.expected_failed_checks` names may fail.
"""

import pytest

# Before it is imported: a failed assertion then shows its values.
pytest.register_assert_rewrite("segrun.algorithms.testing.suite")

from segrun.algorithms.testing.subject import tables  # noqa: E402
from segrun.algorithms.testing.suite import AlgorithmConformance  # noqa: E402

__all__ = ["AlgorithmConformance", "tables"]
