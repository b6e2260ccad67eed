"""Processes of a sweep prepare data once, and map what another has prepared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np

from segrun.data.cache.shelf import Shelf
from segrun.rundir.store import read_csv


def test_of_many_one_makes_the_object(tmp_path):
    shelf, made, lock = Shelf(tmp_path / "shelf"), [], Lock()

    def fetch(_):
        with shelf.held("wanted") as place:
            if not place.taken():
                with lock:
                    made.append(1)
                place.put({"X": np.arange(6.0).reshape(2, 3)})
            return place.get()["X"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fetch, range(16)))
    assert len(made) == 1
    for X in found:
        assert isinstance(X, np.memmap)
        assert not X.flags.writeable
        assert np.array_equal(X, np.arange(6.0).reshape(2, 3))
    shelf.clear()
    assert not (tmp_path / "shelf").exists()


def test_another_object_has_another_place(tmp_path):
    shelf = Shelf(tmp_path)
    with shelf.held("a") as a:
        a.put(1)
    with shelf.held("b") as b:
        assert not b.taken()


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
