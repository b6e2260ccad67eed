"""What the `evaluation` group may hold."""

import math
import subprocess
import sys

import pytest

from segrun.config import EvaluationConfig, SilhouetteConfig, check_ranges
from segrun.errors import ConfigError


def config(max_exact_rows=1, sample_rows=1, max_noise_share=0.5):
    return EvaluationConfig(SilhouetteConfig(max_exact_rows, sample_rows), max_noise_share)


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_the_ends_of_the_ranges_are_allowed(share):
    check_ranges(config(max_noise_share=share), "evaluation")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"max_exact_rows": 0}, r"evaluation\.silhouette\.max_exact_rows .*at least 1.*Got 0 "),
        ({"sample_rows": -5}, r"evaluation\.silhouette\.sample_rows .*at least 1.*Got -5 "),
        ({"max_noise_share": 1.01}, r"evaluation\.max_noise_share .*from 0 to 1\. Got 1\.01 "),
        ({"max_noise_share": -0.01}, r"evaluation\.max_noise_share .*from 0 to 1\. Got -0\.01 "),
        ({"max_noise_share": math.nan}, r"evaluation\.max_noise_share .*from 0 to 1\. Got nan "),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_range(bad, message):
    with pytest.raises(ConfigError, match=message):
        check_ranges(config(**bad), "evaluation")


def test_checking_loads_no_heavy_library():
    """Configuration errors come before scikit-learn is imported."""
    code = (
        "import sys; from segrun.evaluation.check import check;"
        "print('numpy' in sys.modules, 'sklearn' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
