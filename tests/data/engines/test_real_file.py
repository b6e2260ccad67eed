"""The real file: every engine gives the features of polars to the last bit."""

from contextlib import ExitStack

import pytest

from segrun.data.datasets import load
from segrun.data.engines import ENGINES, hand_over

OTHERS = [name for name in ENGINES if name != "polars"]
CHOICES = (
    ("features=rfm_calendar",),
    ("features=rfm", "features.orders=invoices", "features.cancellations=remove"),
    ("features=spend",),
)

# Modin says so of each step that it leaves to pandas.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*(efaulting to pandas|modin).*"),
]


@pytest.fixture(scope="module")
def settings(settings_of, online_retail):
    return settings_of(online_retail)


@pytest.fixture(scope="module")
def expected(settings, features, bits, tmp_path_factory):
    with load(settings, 0, tmp_path_factory.mktemp("cache")) as rows:
        return [bits(features(rows, choice, {})) for choice in CHOICES]


@pytest.mark.parametrize("name", OTHERS)
def test_the_features_of_the_real_file(
    name, settings, expected, installed, features, bits, tmp_path
):
    engine = installed(name)
    with ExitStack() as stack:
        source = stack.enter_context(load(settings, 0, tmp_path))
        rows = stack.enter_context(hand_over(source, engine, tmp_path))
        for choice, known in zip(CHOICES, expected, strict=True):
            assert bits(features(rows, choice, {})) == known
