"""Processes of a sweep prepare data once, and map what another has prepared."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np

from segrun.data.cache.shared import JobCache
from segrun.rundir.store import read_csv


@dataclass
class Matrix:
    X: np.ndarray

    @property
    def n_bytes(self):
        return self.X.nbytes


def test_of_many_processes_one_makes_the_object(tmp_path):
    folder, made, lock = tmp_path / "shared", [], Lock()

    def fetch(_):
        # As in a process of its own: a memory of its own.
        cache = JobCache(folder)
        with cache.held("wanted") as cached:
            if not cached.made_by:
                with lock:
                    made.append(1)
                cached.put(Matrix(np.arange(6.0).reshape(2, 3)))
                return None
            assert cached.made_by == "a job of another process"
            return cached.get().X

    with ThreadPoolExecutor(8) as pool:
        found = [X for X in pool.map(fetch, range(16)) if X is not None]
    assert len(made) == 1
    assert len(found) == 15
    for X in found:
        assert isinstance(X, np.memmap)
        assert not X.flags.writeable
        assert np.array_equal(X, np.arange(6.0).reshape(2, 3))
    JobCache(folder).clear()
    assert not folder.exists()


def test_in_one_process_the_objects_used_last_stay_in_memory():
    cache = JobCache(max_bytes=100)
    for key in "ab":
        with cache.held(key) as cached:
            assert not cached.made_by
            cached.put(Matrix(np.zeros(6)))
    with cache.held("a") as cached:
        cached.get()
    with cache.held("c") as cached:
        cached.put(Matrix(np.zeros(6)))
    for key, there in (("a", True), ("b", False), ("c", True)):
        with cache.held(key) as cached:
            assert bool(cached.made_by) is there
    assert pickle.loads(pickle.dumps(cache)).n_bytes == 0


def test_another_object_has_another_file(tmp_path):
    cache = JobCache(tmp_path)
    with cache.held("a") as a:
        a.put(Matrix(np.zeros(1)))
    with JobCache(tmp_path).held("b") as b:
        assert not b.made_by


def test_jobs_side_by_side_read_the_input_once(segrun, tmp_path):
    done = segrun(
        "-m", "algo=kmeans,dbscan", "seed=4", "evaluation.max_noise_share=0.4,0.5",
        "dataset.n_customers=300", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=sweep",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = [read_csv(path) for path in sorted(tmp_path.glob("sweep/*/timings.csv"))]
    assert len(tables) == 4
    assert sum(row["stage"] == "features" for table in tables for row in table) == 1
    said = {row["reason"] for table in tables for row in table if row["stage"] == "load"}
    assert "data prepared by a job of another process" in said
    # Gone with the sweep.
    assert not (tmp_path / "sweep" / ".prepared").exists()
    same = {path.read_bytes() for path in tmp_path.glob("sweep/*/features.parquet")}
    assert len(same) == 1
