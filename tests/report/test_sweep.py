"""The tables of a sweep, and the page of one over several files and transforms."""

import polars as pl
import pytest

from segrun.data.datasets.synthetic_retail import generate
from segrun.report.html import write_report
from segrun.report.sweep import JobResult, matrix_of, ranks, transform_in_words, write_aggregate
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


@pytest.fixture(scope="module")
def several(segrun, tmp_path_factory):
    """Every customer ten times: all are found as the copies that they are."""
    folder = tmp_path_factory.mktemp("matrices")
    for seed, name in enumerate(("a.csv", "b.csv")):
        generate(50 + 10 * seed, seed=seed)[0].write_csv(folder / name)
    done = segrun(
        "-m", "algo=dbscan,kmeans", "dataset=online_retail", "dataset.path=a.csv,b.csv",
        "transform=standard,log_standard", "features=rfm", "features.outliers.rule=none",
        "augmentation=x10", "augmentation.max_step=0", "augmentation.lognormal_columns=[]",
        "backend=sklearn", "hydra.sweep.dir=sweep", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "sweep", done


def test_every_swept_key_and_what_scores_are_of_has_a_column(several):
    rows = read_csv(several[0] / "scores.csv")
    assert {row["dataset.path"] for row in rows} == {row["input"] for row in rows} == {
        "a.csv", "b.csv"}  # fmt: skip
    assert {row["transform"] for row in rows} == {"standard", "log_standard"}
    assert {row["algo"] for row in rows} == {"dbscan", "kmeans"}
    assert {row["seed"] for row in rows} == {"0"}
    for row in rows:
        clustered = pl.read_parquet(several[0] / row["job"] / "features.parquet")
        assert int(row["rows"]) == len(clustered)


def test_ranks_are_within_the_rows_features_and_transform_alone(several):
    rows = read_csv(several[0] / "scores.csv")
    of = {row["matrix"]: (row["input"], row["transform"]) for row in rows}
    assert len(of) == len(set(of.values())) == 4
    for matrix in of:
        own = [row for row in rows if row["matrix"] == matrix]
        assert {row["algo"] for row in own} == {"dbscan", "kmeans"}
        ranked = [row for row in own if row["silhouette"] and not row["limit"]]
        values = sorted((float(row["silhouette"]) for row in ranked), reverse=True)
        assert [row["rank"] for row in ranked] == [
            str(values.index(float(row["silhouette"])) + 1) for row in ranked
        ]
        assert {row["rank"] for row in own if row not in ranked} <= {""}


def test_a_choice_of_copies_says_so_in_every_table(several):
    folder, done = several
    rows, jobs = read_csv(folder / "scores.csv"), read_csv(folder / "jobs.csv")
    chosen = [row for row in rows if row["selected"] == "true"]
    copies = {row["job"] for row in chosen if "the copies of at most 3 customers" in row["caution"]}
    assert copies
    assert not [row for row in rows if row["caution"] and row["selected"] != "true"]
    for job in jobs:
        assert ("the copies of at most 3" in job["warnings"]) == (job["job"] in copies)
    told = [line for line in done.stdout.splitlines() if "the copies of at most 3" in line]
    assert {line.partition(":")[0] for line in told} == copies


def test_the_terminal_ranks_within_a_matrix_and_names_it(several):
    folder, done = several
    chosen = [row for row in read_csv(folder / "scores.csv") if row["selected"] == "true"]
    for row in chosen:
        (line,) = [text for text in done.stdout.splitlines() if text.startswith(f"{row['job']} ")]
        rivals = [other for other in chosen if other["matrix"] == row["matrix"]]
        place = 1 + sum(float(r["silhouette"]) > float(row["silhouette"]) for r in rivals)
        assert f"{place} of {len(rivals)} on {row['matrix']}" in line


def test_the_page_compares_within_a_matrix_and_calls_no_two_files_the_same(several, read_page):
    folder, _ = several
    write_report(folder)
    text = " ".join(read_page(folder).texts)
    assert "4 matrices of 2 inputs: scores are compared within each" in text
    assert "dataset online_retail" not in text
    assert "a.csv, features rfm, augmentation x10, transform standard" in text
    assert "the copies of at most 3 customers" in text


def test_equal_ones_share_a_rank_and_what_cannot_be_compared_has_none():
    rows = [{"matrix": m, "silhouette": s, "limit": limit} for m, s, limit in (
        ("a", "0.5", ""), ("a", "0.7", ""), ("a", "0.7", ""), ("b", "0.1", ""), ("", "0.9", ""),
        ("a", "", ""), ("a", "0.9", "noise_share 0.9 > max_noise_share 0.5"),
    )]  # fmt: skip
    assert ranks(rows) == [3, 1, 1, 1, None, None, None]


def test_a_seed_counts_where_the_transform_draws():
    manifest = {"files": {"features.parquet": "f" * 64}}

    def of(seed, **transform):
        return matrix_of(manifest, {"seed": seed, "transform": {"pca": None, **transform}})

    assert of(1) == of(2)
    assert of(1, pca=3) != of(2, pca=3)
    assert of(1) != of(1, scale="robust")
    assert not matrix_of({}, {"seed": 1, "transform": {}})


def test_a_transform_has_words():
    assert transform_in_words({"log1p": [], "scale": "none", "pca": None}) == "none"
    assert transform_in_words({"log1p": ["*"], "scale": "robust", "pca": 0.5}) == (
        "log1p robust pca=0.5")  # fmt: skip
    assert transform_in_words({"log1p": ["Amount"], "scale": "standard"}) == (
        "log1p(Amount) standard")  # fmt: skip
