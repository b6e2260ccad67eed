"""Criteria side by side."""

import pytest

from segrun.config import EvaluationConfig, SilhouetteConfig
from segrun.segments.criteria import choices, criteria_rows, disagreement, rated, within_limits


def row(k, silhouette, davies_bouldin, calinski_harabasz, inertia, largest="0.5", **others):
    return {
        "point": f"k={k}", "status": "done", "n_clusters": str(k), "noise_share": "0.0",
        "smallest_share": "0.1", "largest_share": largest, "silhouette": silhouette,
        "davies_bouldin": davies_bouldin, "calinski_harabasz": calinski_harabasz,
        "inertia": inertia, **others,
    }  # fmt: skip


SCORES = [
    row(2, "0.6", "0.9", "70.0", "100.0", largest="0.9"),
    row(3, "0.5", "0.7", "90.0", "40.0"),
    row(4, "0.4", "0.8", "80.0", "36.0"),
    row(5, "0.3", "1.2", "60.0", "33.0"),
    row(6, "", "", "", "31.0", status="failed"),
]


def picked(stability=None, **limits):
    config = EvaluationConfig(SilhouetteConfig(1, 1), 0.5, **limits)
    return choices(within_limits(rated(SCORES), config), stability or {})


@pytest.mark.heavy
def test_each_criterion_has_its_point():
    found = picked({"k=2": 0.8, "k=4": 0.9})
    assert [(c.criterion, c.point, c.value) for c in found] == [
        ("silhouette", "k=2", 0.6), ("davies_bouldin", "k=3", 0.7),
        ("calinski_harabasz", "k=3", 90.0), ("elbow", "k=3", 40.0), ("stability", "k=4", 0.9),
    ]  # fmt: skip


def test_only_points_within_the_limits_compete():
    found = picked({"k=2": 0.9, "k=5": 0.1}, max_share=0.8)
    assert [c.point for c in found] == ["k=3", "k=3", "k=3", "", "k=5"]


def test_where_none_is_within_them_nothing_is_picked():
    rows = criteria_rows(picked(min_clusters=9), 3)
    assert {row["point"] for row in rows} == {""}
    assert {row["agrees"] for row in rows} == {None}


def test_agreement_is_on_the_number_of_segments():
    agrees = {row["criterion"]: row["agrees"] for row in criteria_rows(picked(), 3)}
    assert agrees == {"silhouette": False, "davies_bouldin": True, "calinski_harabasz": True,
                      "elbow": True, "stability": None}  # fmt: skip


def test_disagreement_is_told_and_agreement_is_not():
    assert disagreement(picked()) == (
        "The criteria disagree on the number of segments: silhouette 2, davies_bouldin and "
        "calinski_harabasz and elbow 3"
    )
    assert disagreement(picked(max_share=0.8)) == ""
    assert disagreement([]) == ""


@pytest.mark.parametrize("column", ["davies_bouldin", "inertia"])
def test_a_table_without_a_score_is_read(column):
    bare = [{**row, column: ""} for row in SCORES[:4]]
    found = choices(rated(bare), {})
    missing = {"inertia": "elbow"}.get(column, column)
    assert {c.criterion for c in found if not c.point} == {missing, "stability"}
