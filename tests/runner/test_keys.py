"""Which settings are part of a content key."""

from dataclasses import replace

import pytest

from segrun.algorithms.grid import Point
from segrun.config import NamesConfig, Report, SegmentsConfig, plain
from segrun.runner.keys import job_key, kind_key, point_key

POINT = Point("single", {"n_clusters": 3}, {})


@pytest.fixture(scope="module")
def experiment(composed):
    return composed("algo.params.n_clusters=3")


def keys(experiment):
    values = plain(experiment)
    return point_key(values, POINT, None, {}), kind_key(values, None), job_key(values, None, {})


@pytest.mark.parametrize(
    "change",
    [
        {"segments": SegmentsConfig(describe=True, order_by="Amount")},
        {"report": Report.html},
    ],
)
def test_no_label_and_no_time_of_a_fit_depends_on_what_is_described(experiment, change):
    before, after = keys(experiment), keys(replace(experiment, **change))
    assert after[:2] == before[:2]
    # But another job's results are not these.
    assert after[2] != before[2]


def test_how_segments_would_be_described_changes_nothing_where_they_are_not(experiment):
    settings = SegmentsConfig(order_by="Amount", names=NamesConfig(propose=False))
    assert keys(replace(experiment, segments=settings)) == keys(experiment)
    described = replace(experiment, segments=replace(settings, describe=True))
    other = replace(experiment, segments=SegmentsConfig(describe=True))
    assert keys(described)[2] != keys(other)[2]
