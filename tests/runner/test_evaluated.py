"""The tables of scores and sizes."""

from dataclasses import replace

import pytest

from segrun.algorithms.grid import Point
from segrun.evaluation.scores import Scores
from segrun.evaluation.silhouette import Estimate
from segrun.rundir.directory import RunDirectory
from segrun.rundir.store import read_csv
from segrun.rundir.timings import Timings
from segrun.runner.evaluated import Evaluated, score_rows, size_rows, write_tables
from segrun.runner.fit import Outcome
from segrun.runner.preflight.flight import Flight


def test_every_cluster_has_its_rows_and_its_silhouette():
    scores = Scores(
        2, 4, 0.4, 0.2, 0.4, {0: 4, 7: 2},
        cluster_silhouettes={0: Estimate(0.25, 0.0, 4), 7: Estimate(None, None, 0)},
    )  # fmt: skip
    noise, first, second = size_rows({"eps=1": scores})
    empty = {"silhouette": None, "silhouette_se": None}
    assert noise == {"point": "eps=1", "label": -1, "n_rows": 4, **empty, "silhouette_rows": None}
    assert first == {"point": "eps=1", "label": 0, "n_rows": 4, "silhouette": 0.25,
                     "silhouette_se": 0.0, "silhouette_rows": 4}  # fmt: skip
    assert second == {"point": "eps=1", "label": 7, "n_rows": 2, **empty, "silhouette_rows": 0}


def test_what_cannot_be_scored_has_its_rows():
    (row,) = size_rows({"k=1": Scores(1, 0, 0.0, 1.0, 1.0, {0: 9})})
    assert (row["n_rows"], row["silhouette"], row["silhouette_rows"]) == (9, None, None)


def outcomes(*statuses):
    return [
        Outcome(Point(f"k={n}", {"k": n}, {"k": n}), status, "" if status == "done" else f"why {n}")
        for n, status in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("statuses", "status", "reason"),
    [
        (["done", "done"], "done", ""),
        (["failed", "done"], "incomplete", ""),
        (["failed", "failed"], "failed", "no point came to labels; k=0: why 0"),
    ],
)
def test_a_grid_failed_where_all_its_points_did(statuses, status, reason):
    found = Evaluated(outcomes(*statuses), {}, None, Flight([], 0, 0), {"rows": 7})
    assert (found.status, found.reason) == (status, reason)
    warned = []
    told = found.told(warned)
    warned.append("late")
    assert told.facts == {"rows": 7, "warnings": ["late"]}


def scored(n_noise, **more):
    return Scores(2, n_noise, n_noise / 10, 0.4, 0.6, {0: 4, 1: 6 - n_noise}, **more)


@pytest.mark.heavy
def test_a_row_has_the_scores_of_its_point_and_says_why_it_is_not_selected(composed):
    limits = replace(composed().evaluation, min_share=0.0, max_share=1.0, max_noise_share=0.2)
    first, second, third = outcomes("done", "done", "failed")
    first.inertia, first.n_iter, first.converged = 2.5, 3, True
    scores = {"k=0": scored(1, reason="no score"), "k=1": scored(5)}
    rows = score_rows([first, second, third], scores, "k=0", limits)
    assert [row["point"] for row in rows] == ["k=0", "k=1", "k=2"]
    assert [row["param_k"] for row in rows] == [0, 1, 2]
    assert [row["selected"] for row in rows] == [True, False, False]
    assert [row["reason"] for row in rows] == ["no score", "", "why 2"]
    assert [row["n_noise"] for row in rows] == [1, 5, None]
    assert [bool(row["limit"]) for row in rows] == [False, True, False]
    assert (rows[0]["inertia"], rows[0]["n_iter"], rows[0]["converged"]) == (2.5, 3, True)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("kept", "left"), [("all", {"k=0", "k=1", "k=2"}), ("best", {"k=1", "k=2"})]
)
def test_the_models_of_the_selected_and_of_the_described_point_stay(composed, tmp_path, kept, left):
    experiment = composed(f"store.models={kept}", "segments.point='k=2'")
    out, timings = RunDirectory(tmp_path), Timings()
    for n in range(3):
        out.write_model(f"k={n}", n)
    scores = {f"k={n}": scored(1) for n in range(3)}
    found = Evaluated(outcomes("done", "done", "done"), scores, "k=1", Flight([], 0, 0), {})
    write_tables(experiment, out, timings, found)
    assert {path.stem for path in (tmp_path / "models").iterdir()} == left
    assert [row["point"] for row in read_csv(tmp_path / "scores.csv")] == ["k=0", "k=1", "k=2"]
    assert len(read_csv(tmp_path / "sizes.csv")) == 9
    assert [row.stage for row in timings.rows] == ["store"]
