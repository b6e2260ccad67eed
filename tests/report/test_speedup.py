"""How backends compare, in sweeps that the real command has run."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from segrun.report.samples import DIRTY_CORES
from segrun.rundir.store import read_csv, read_labels

SMALL = ["dataset.n_customers=200", "algo.grid.n_clusters=[2,4]", "algo.grid.tol=[1e-4]",
         "store.models=none", "hydra.sweep.dir=sweep"]  # fmt: skip


@pytest.fixture(scope="module")
def race(segrun, tmp_path_factory):
    """Two backends, three rounds, each backend with its own starting centres."""
    folder = tmp_path_factory.mktemp("race")
    done = segrun("-m", *SMALL, "timing.round=range(0,3)", "seed=1,2", "backend=onedal,sklearn",
                  cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "sweep", done, read_csv(folder / "sweep" / "speedup.csv")


def test_rounds_are_interleaved_over_backends(segrun, tmp_path):
    done = segrun("plan", "experiment=bench_kmeans_small", cwd=tmp_path)
    order = [line.split()[1:3] for line in done.stdout.splitlines()[1:10]]
    assert order == [[f"timing.round={n}", f"backend={b}"]
                     for n in range(3) for b in ("onedal", "sklearn", "native")]  # fmt: skip


def test_every_grid_has_a_row_per_backend_and_point(race):
    _, done, rows = race
    for seed in ("seed=1", "seed=2"):
        own = [row for row in rows if row["overrides"] == seed]
        assert [(row["point"], row["backend"]) for row in own] == [
            (point, backend)
            for point in ("", "n_clusters=2,tol=0.0001", "n_clusters=4,tol=0.0001")
            for backend in ("onedal", "sklearn")
        ]
        assert f"2 points over {own[0]['n_rows']} rows ({seed})" in done.stdout
    assert {row["baseline"] for row in rows} == {"onedal"}


def test_times_are_those_of_the_fits(race):
    sweep, _, rows = race
    jobs = read_csv(sweep / "jobs.csv")
    for row in rows:
        taken = []
        for job in jobs:
            words = job["overrides"].split()
            if {row["overrides"], f"backend={row['backend']}"} <= set(words):
                fits = [f for f in read_csv(sweep / job["job"] / "timings.csv")
                        if f["stage"] == "fit" and row["point"] in ("", f["point"])]  # fmt: skip
                taken.append(sum(float(f["wall_seconds"]) for f in fits))
        assert float(row["cold_seconds"]) == taken[0]
        assert min(taken[1:]) <= float(row["min_seconds"]) <= float(row["median_seconds"])
        assert float(row["median_seconds"]) <= float(row["max_seconds"]) <= max(taken[1:])
        assert (row["n_warm"], row["same_each_round"]) == ("2", "true")
        if row["quality"] == "clean":
            assert float(row["other_load"] or 0) <= DIRTY_CORES


def test_faster_and_different_stand_in_one_line(race):
    sweep, _, rows = race
    for row in rows:
        same = row["backend"] == row["baseline"]
        if not row["point"]:
            continue
        seed_jobs = [job["job"] for job in read_csv(sweep / "jobs.csv")
                     if row["overrides"] in job["overrides"]]  # fmt: skip
        one, two = (read_labels(sweep / job, row["point"]) for job in seed_jobs[:2])
        other = one if same else two
        assert float(row["ari"]) == pytest.approx(adjusted_rand_score(one, other))
        assert int(row["n_identical"]) == np.array_equal(one, other)
        inertias = [next(float(score["inertia"]) for score in read_csv(sweep / job / "scores.csv")
                         if score["point"] == row["point"]) for job in seed_jobs[:2]]  # fmt: skip
        expected = 1.0 if same else inertias[1] / inertias[0]
        assert float(row["inertia_ratio"]) == pytest.approx(expected)


def test_the_whole_grid_is_as_different_as_its_most_different_point(race):
    _, _, rows = race
    for row in rows:
        if not row["point"]:
            points = [float(other["ari"]) for other in rows if other["point"]
                      and (other["overrides"], other["backend"])
                      == (row["overrides"], row["backend"])]  # fmt: skip
            assert float(row["ari"]) == min(points)


def test_repeats_of_one_command_are_samples_too(segrun, tmp_path):
    done = segrun("-m", *SMALL, "algo.shared_centres=true", "timing.repeats=3",
                  "backend=sklearn,onedal", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = read_csv(tmp_path / "sweep" / "speedup.csv")
    assert {(row["baseline"], row["n_warm"]) for row in rows} == {("onedal", "2")}
    assert [row["n_identical"] for row in rows if not row["point"]] == ["2", "2"]
    assert "shared starting centres" in done.stdout


def test_without_another_round_the_table_says_that_it_is_cold(segrun, tmp_path):
    done = segrun("-m", *SMALL, "backend=sklearn,onedal", cwd=tmp_path)
    assert "** cold: there is no warm sample" in done.stdout


def test_a_sweep_of_one_backend_has_nothing_to_compare(segrun, tmp_path):
    done = segrun("-m", *SMALL, "seed=1,2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "sweep" / "speedup.csv").exists()
    assert "speed-up" not in done.stdout


def test_a_point_that_fails_on_one_side_is_no_common_work(segrun, tmp_path):
    done = segrun("-m", *SMALL, "algo.grid.n_clusters=[2,900]", "backend=sklearn,onedal",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    rows = read_csv(tmp_path / "sweep" / "speedup.csv")
    assert {row["point"] for row in rows} == {"", "n_clusters=2,tol=0.0001"}
    assert {row["n_points"] for row in rows} == {"1"}
