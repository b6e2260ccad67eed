"""The tables of scores and sizes."""

from segrun.evaluation.scores import Scores
from segrun.evaluation.silhouette import Estimate
from segrun.runner.evaluated import size_rows


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
