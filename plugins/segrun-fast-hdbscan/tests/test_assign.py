"""New rows, threads and wide tables."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from segrun.algorithms.backend import Backend
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from segrun_fast_hdbscan import algorithm, assign

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])

LABELS = """
import sys, numpy as np
from segrun_fast_hdbscan.clusterer import FastHDBSCAN
X = np.round(np.random.default_rng(0).normal(size=(3000, 3)), 1)
labels = FastHDBSCAN(min_cluster_size=10, cluster_selection_method="leaf", reproducible=True)
sys.stdout.buffer.write(labels.fit_predict(X).astype(np.int64).tobytes())
"""


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    return np.concatenate([centre + rng.normal(0, 0.3, size=(100, 2)) for centre in CENTRES])


@pytest.fixture(scope="module")
def fit(blobs):
    backend = Backend("sklearn")
    return backend.fit(algorithm.make(backend, min_cluster_size=20, reproducible=True), blobs)


def test_new_rows_get_the_cluster_that_they_are_in_and_far_ones_are_noise(fit):
    inside = assign(fit.model, CENTRES)
    assert inside.tolist() == [fit.labels[k * 100 : k * 100 + 100].max() for k in range(3)]
    assert sorted(inside) == [0, 1, 2]
    assert assign(fit.model, CENTRES + 4).tolist() == [-1, -1, -1]


def test_the_clusters_are_those_of_scikit_learns_hdbscan(fit, blobs):
    other = HDBSCAN(min_cluster_size=20, copy=True).fit_predict(blobs)
    assert adjusted_rand_score(fit.labels, other) > 0.95


def test_labels_do_not_depend_on_the_number_of_threads():
    digests = set()
    for n_threads in (1, 2):
        done = subprocess.run(
            [sys.executable, "-c", LABELS], check=True, capture_output=True,
            env={**os.environ, "NUMBA_NUM_THREADS": str(n_threads)},
        )  # fmt: skip
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


def test_a_table_that_is_too_wide_is_refused_with_the_cure():
    backend = Backend("sklearn")
    with pytest.raises(ValueError, match=r"up to 30 features. Got 31 instead.*transform=pca"):
        backend.fit(algorithm.make(backend), np.random.default_rng(0).normal(size=(50, 31)))
