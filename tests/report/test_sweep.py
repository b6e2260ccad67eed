"""The aggregate over a sweep, written by the real command."""

import pytest

from segrun.datasets.synthetic_retail import generate
from segrun.report.sweep import write_aggregate
from segrun.store import read_csv


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


def test_an_unfinished_job_is_a_row(tmp_path):
    (tmp_path / "0-kmeans" / ".hydra").mkdir(parents=True)
    (tmp_path / "0-kmeans" / "UNFINISHED").write_text("")
    write_aggregate(tmp_path)
    (row,) = read_csv(tmp_path / "scores.csv")
    assert (row["job"], row["status"]) == ("0-kmeans", "unfinished")
