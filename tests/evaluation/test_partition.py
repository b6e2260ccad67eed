"""Clusters of one label set and joint groups of many, against plain counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.evaluation.partition import joint_groups, partition

LABELS = st.lists(st.integers(-3, 60), max_size=20)


@given(given=LABELS)
def test_clusters_are_numbered_in_the_order_of_their_labels(given):
    labels = np.array(given, np.int64)
    part = partition(labels)
    names, counts = np.unique(labels[labels >= 0], return_counts=True)
    number = {name: place for place, name in enumerate(names)}
    assert part.codes.tolist() == [number.get(label, -1) for label in given]
    assert (part.labels.tolist(), part.counts.tolist()) == (names.tolist(), counts.tolist())
    assert part.n_clusters == len(names)
    assert part.n_clustered == sum(label >= 0 for label in given)
    assert (part.codes.dtype, part.labels.dtype) == (np.int32, np.int64)


def joined(sets):
    parts = [partition(labels) for labels in sets]
    return parts, joint_groups(parts)


def wholes(n_rows, n_sets):
    rng = np.random.default_rng(n_sets)
    return [rng.integers(-1, 2 + n % 3, n_rows) for n in range(n_sets)]


# Ninety sets of two to four clusters have more joint groups than an integer can number.
@pytest.mark.parametrize(("n_rows", "n_sets"), [(200, 1), (200, 3), (60, 90)])
def test_a_joint_group_is_the_rows_that_share_their_cluster_in_every_set(n_rows, n_sets):
    parts, groups = joined(wholes(n_rows, n_sets))
    tuples = [tuple(part.codes[row] for part in parts) for row in range(n_rows)]
    clustered = [row for row in range(n_rows) if max(tuples[row]) >= 0]
    assert sorted(groups.order) == clustered
    group = dict(zip(groups.order, groups.groups, strict=True))
    assert len(set(groups.groups)) == len({tuples[row] for row in clustered})
    begins = np.cumsum([0] + [part.n_clusters for part in parts])
    assert groups.offsets.tolist() == begins.tolist()
    assert groups.n_clusters == begins[-1]
    for row in clustered:
        pairs = zip(tuples[row], begins, strict=False)
        expected = [code + begin if code >= 0 else -1 for code, begin in pairs]
        assert groups.members[group[row]].tolist() == expected


def test_rows_stand_by_group_and_within_it_as_they_came():
    _, groups = joined(wholes(200, 2))
    assert list(zip(groups.groups, groups.order, strict=True)) == sorted(
        zip(groups.groups, groups.order, strict=True)
    )


@pytest.mark.parametrize("width", [1, 7, 64, 1000])
def test_a_run_ends_with_its_group_and_at_every_multiple_of_the_width(width):
    _, groups = joined(wholes(200, 2))
    of = groups.groups
    expected = [i for i in range(len(of)) if i % width == 0 or of[i] != of[i - 1]]
    assert groups.runs(width).tolist() == expected
