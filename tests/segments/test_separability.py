"""Separability against scikit-learn, and rules that are true of the rows."""

import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

from segrun.segments.segment import Segment, Segments
from segrun.segments.separability import rules, separability


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1, 2], [60, 40, 20])
    X = np.column_stack([10 * y + rng.normal(0, 4, 120), rng.normal(0, 1, 120), 50 - 20 * y])
    return (X - X.mean(axis=0)) / X.std(axis=0), X, y


def test_the_matrix_is_that_of_cross_validation(data):
    Z, X, y = data
    found = separability(Z, X, y, 7)
    folds = StratifiedKFold(5, shuffle=True, random_state=7)
    # The third column tells the segments alone; noise for this test.
    predicted = cross_val_predict(GaussianNB(), Z, y, cv=folds)
    (score,) = [row for row in found.scores if row["classifier"] == "naive_bayes"]
    assert score["accuracy"] == pytest.approx(accuracy_score(y, predicted))
    assert score["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(y, predicted))
    assert score["baseline"] == 0.5
    counts = [row["count"] for row in found.confusion if row["classifier"] == "naive_bayes"]
    np.testing.assert_array_equal(np.reshape(counts, (3, 3)), confusion_matrix(y, predicted))


def test_the_rules_are_true_of_the_rows(data):
    Z, X, y = data
    names = ["Amount", "Age", "Net Share"]
    segments = Segments("k", [Segment(n, n, f"Name {n}", 1, 0.1, "#000000") for n in range(3)])
    found = separability(Z, X[:, :2], y, 0)
    text = rules(found.leaves, found.classes, segments, names[:2])
    assert [line for line in text.splitlines() if not line.startswith(" ")] == [
        "segment 0: Name 0", "segment 1: Name 1", "segment 2: Name 2",
    ]  # fmt: skip
    covered, number = 0, -1
    for line in text.splitlines():
        if not line.startswith(" "):
            number += 1
            continue
        condition, right, size = re.fullmatch(
            r"  (.*): (\d+) of (\d+) customers are in it", line
        ).groups()
        # Python reads the conditions as people do.
        python = condition.replace("Amount", "X[:, 0]").replace("Age", "X[:, 1]")
        inside = np.ones(len(X), bool)
        for part in python.split(" and "):
            low, between, rest = part.partition(" < ")
            if between:
                inside &= eval(f"{low} < {rest.partition(' <= ')[0]}")
            inside &= eval(rest or part)
        assert inside.sum() == int(size)
        assert (inside & (y == number)).sum() == int(right)
        covered += int(size)
    assert covered == len(X)


@pytest.mark.parametrize("y", [np.zeros(30, int), np.arange(30), np.arange(120) // 2])
def test_one_segment_or_very_many_are_not_judged(y):
    Z = np.random.default_rng(0).normal(size=(len(y), 2))
    found = separability(Z, Z, y, 0)
    assert (found.scores, found.confusion, found.leaves) == ([], [], ())
    assert rules(found.leaves, found.classes, Segments("k", []), ["a", "b"]) == ""


def test_a_segment_of_one_row_is_left_out(data):
    Z, X, y = data
    y = y.copy()
    y[0] = 9
    found = separability(Z, X, y, 0)
    assert {row["actual"] for row in found.confusion} == {0, 1, 2}
    assert {row["n_rows"] for row in found.scores} == {119}


@pytest.mark.heavy
def test_of_many_rows_a_sample_is_seen():
    y = np.arange(24_000) % 3
    Z = np.column_stack([y, y]) + np.random.default_rng(0).normal(0, 0.1, (24_000, 2))
    found = separability(Z, Z, y, 0)
    assert {row["n_rows"] for row in found.scores} == {20_000}
    assert min(row["accuracy"] for row in found.scores) > 0.99
