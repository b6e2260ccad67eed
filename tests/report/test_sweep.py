"""The aggregate over a sweep, written by the real command."""

import pytest

from segrun.data.datasets.synthetic_retail import generate
from segrun.report.sweep import JobResult, write_aggregate
from segrun.rundir.store import read_csv


@pytest.fixture(scope="module")
def sweep(segrun, tmp_path_factory):
    """A sweep of four jobs of which two lack their file."""
    folder = tmp_path_factory.mktemp("sweep")
    generate(60, seed=0)[0].write_csv(folder / "there.csv")
    done = segrun(
        "-m", "algo=kmeans,birch", "dataset=online_retail", "dataset.path=nowhere.csv,there.csv",
        "hydra.sweep.dir=sweep", "algo.params.n_clusters=3", cwd=folder,
    )  # fmt: skip
    return folder / "sweep", done


def test_a_failing_job_does_not_stop_the_others_and_the_exit_code_tells(sweep):
    directory, done = sweep
    assert done.returncode == 1
    statuses = {row["job"]: row["status"] for row in read_csv(directory / "scores.csv")}
    assert statuses == {
        "0-kmeans": "failed", "1-kmeans": "done", "2-birch": "failed", "3-birch": "done",
    }  # fmt: skip


def test_every_failure_is_named_with_its_own_log(sweep):
    directory, done = sweep
    for job in ("0-kmeans", "2-birch"):
        assert f"{job} failed: dataset.path=nowhere.csv" in done.stderr
        assert "nowhere.csv" in (directory / job / "segrun.log").read_text()


def test_the_aggregate_has_every_point_of_every_job(sweep):
    directory, _ = sweep
    rows = read_csv(directory / "scores.csv")
    for job in ("1-kmeans", "3-birch"):
        own = [row["point"] for row in read_csv(directory / job / "scores.csv")]
        assert own == [row["point"] for row in rows if row["job"] == job]
    assert "dataset.path=there.csv" in rows[1]["overrides"]


def test_an_unfinished_and_a_refused_job_are_rows(tmp_path):
    (tmp_path / "0-kmeans").mkdir()
    (tmp_path / "0-kmeans" / "UNFINISHED").write_text("")
    jobs = [JobResult(tmp_path / "0-kmeans"), JobResult(tmp_path / "0-kmeans", refused="in use")]
    write_aggregate(tmp_path, jobs)
    first, second = read_csv(tmp_path / "scores.csv")
    assert (first["job"], first["status"]) == ("0-kmeans", "unfinished")
    assert (second["status"], second["reason"]) == ("failed", "in use")


def test_two_jobs_that_want_one_directory_are_refused_before_either_runs(segrun, tmp_path):
    arguments = ["dataset.n_customers=60", "algo.params.n_clusters=3", "algo.params.tol=1e-4",
                 "hydra.sweep.dir=sweep", "hydra.sweep.subdir=same"]  # fmt: skip
    done = segrun("-m", *arguments, "seed=1,2", cwd=tmp_path)
    assert done.returncode == 2
    assert "hydra.sweep.subdir gives 'same' to the jobs 0 and 1" in done.stderr
    assert not (tmp_path / "sweep" / "same").exists()
