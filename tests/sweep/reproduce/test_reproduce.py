"""``segrun reproduce`` by the real command: the same is 0, anything else is 3."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys

import polars as pl
import pytest

from segrun.cli.reproduce import MISMATCH
from segrun.config import conf_directory
from segrun.data.datasets.synthetic_retail import generate
from segrun.rundir.store import read_csv, read_json
from segrun.sweep.reproduce.results import find_expected

SMALL = ["algo.grid.n_clusters=[2,4]", "algo.grid.tol=[1e-4]"]
POINT = "n_clusters=4,tol=0.0001"


@pytest.fixture(scope="module")
def original(segrun, tmp_path_factory):
    """A run and a sweep on a file, begun in one folder."""
    folder = tmp_path_factory.mktemp("original")
    generate(120, seed=0)[0].write_csv(folder / "sales.csv")
    data = ["dataset=online_retail", "dataset.path=sales.csv"]
    for arguments in (
        ["hydra.run.dir=run"],
        ["-m", "hydra.sweep.dir=sweep", "backend=sklearn,onedal", "seed=1"],
    ):
        done = segrun(*arguments, *data, *SMALL, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(original, tmp_path):
    """A copy of the run that a test may change, its input beside it."""
    shutil.copytree(original / "run", tmp_path / "run")
    return tmp_path / "run"


def digests(folder):
    return {
        file.relative_to(folder): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_run_comes_to_the_same_from_anywhere(segrun, run, tmp_path):
    before = digests(run)
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the same: 2 points" in done.stdout
    assert digests(run) == before
    (again,) = (tmp_path / "outputs" / "default").glob("*/0-kmeans")
    assert read_json(again / "manifest.json")["status"] == "done"
    labels = [pl.read_parquet(f / "predictions" / f"{POINT}.parquet") for f in (run, again)]
    assert labels[0].equals(labels[1])
    assert (again / ".hydra" / "overrides.yaml").read_text() == (
        run / ".hydra" / "overrides.yaml"
    ).read_text()


def test_a_sweep_comes_to_the_same_and_its_logs_stay(segrun, original, tmp_path):
    before = digests(original / "sweep")
    done = segrun("reproduce", str(original / "sweep"), "hydra.sweep.dir=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the same: 4 points" in done.stdout
    assert digests(original / "sweep") == before
    jobs = read_csv(tmp_path / "again" / "jobs.csv")
    assert [(job["job"], job["status"]) for job in jobs] == [
        ("0-kmeans", "done"), ("1-kmeans", "done"),
    ]  # fmt: skip
    # What was run again is a sweep as any other.
    assert "nothing is left" in segrun("resume", "again", cwd=tmp_path).stderr


def test_one_changed_label_is_a_mismatch(segrun, run, tmp_path):
    file = run / "predictions" / f"{POINT}.parquet"
    labels = pl.read_parquet(file)
    labels[0, "label"] = (labels[0, "label"] + 1) % 4
    labels.write_parquet(file)
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == MISMATCH
    assert "NOT the same: 1 of 2 points differ" in done.stdout
    assert f"0-kmeans {POINT}: sha256 of the labels" in done.stdout
    assert f"(1 of {len(labels)} rows)" in done.stdout
    assert f"{POINT}.parquet was changed after the run had ended" in done.stdout


@pytest.mark.parametrize(
    ("column", "change", "code"),
    [
        ("inertia", 1 + 1e-9, 0),
        ("inertia", 1 + 1e-4, MISMATCH),
        ("silhouette", 1 + 1e-4, MISMATCH),
        ("n_clusters", 2, MISMATCH),
    ],
)
def test_scores_have_a_tolerance_and_counts_have_none(segrun, run, tmp_path, column, change, code):
    scores = pl.read_csv(run / "scores.csv")
    scores = scores.with_columns((pl.col(column) * change).cast(scores[column].dtype))
    scores.write_csv(run / "scores.csv")
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == code, done.stdout
    assert (f"{column}: " in done.stdout) == bool(code)


def test_times_and_versions_are_told_and_decide_nothing(segrun, run, tmp_path):
    times = pl.read_csv(run / "timings.csv").with_columns(wall_seconds=pl.lit(1000.0))
    times.write_csv(run / "timings.csv")
    environment = read_json(run / "environment.json")
    environment["versions"]["numpy"] = "1.0"
    (run / "environment.json").write_text(json.dumps(environment))
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == 0
    assert "2000.000" in done.stdout
    assert "not the same environment: numpy 1.0 then, " in done.stdout


def test_other_input_is_refused_with_both_digests(segrun, run, tmp_path):
    generate(120, seed=1)[0].write_csv(tmp_path / "other.csv")
    done = segrun("reproduce", "run", "dataset.path=other.csv", cwd=tmp_path)
    assert done.returncode == 1
    for digest in (
        hashlib.sha256((tmp_path / "other.csv").read_bytes()).hexdigest(),
        read_json(run / "manifest.json")["input"]["sha256"],
    ):
        assert digest in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_input_that_was_moved_can_be_named(segrun, run, original, tmp_path):
    shutil.copy(original / "sales.csv", tmp_path / "moved.csv")
    done = segrun("reproduce", "run", "dataset.path=moved.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_generated_input_that_changed_is_a_mismatch(segrun, tmp_path):
    segrun("dataset.n_customers=60", *SMALL, "hydra.run.dir=run", cwd=tmp_path)
    manifest = read_json(tmp_path / "run" / "manifest.json")
    manifest["input"]["sha256"] = "0" * 64
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == MISMATCH
    assert f"sha256 of the input: {'0' * 64} then, " in done.stdout


@pytest.mark.slow
def test_points_that_failed_must_fail_again(segrun, tmp_path):
    few = ["dataset.n_customers=60", "algo.grid.n_clusters=[2,900]", "algo.grid.tol=[1e-4]"]
    assert segrun(*few, "hydra.run.dir=run", cwd=tmp_path).returncode == 1
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    scores = tmp_path / "run" / "scores.csv"
    rows = pl.read_csv(scores).with_columns(status=pl.lit("failed"))
    rows.write_csv(scores)
    done = segrun("reproduce", "run", cwd=tmp_path)
    assert done.returncode == MISMATCH
    assert "n_clusters=2,tol=0.0001: status: failed then, done now" in done.stdout


@pytest.mark.slow
def test_jobs_without_results_are_left_out_and_told(segrun, original, tmp_path):
    done = segrun("-m", "dataset=online_retail", *SMALL, "hydra.sweep.dir=sweep",
                  f"dataset.path={original / 'sales.csv'},nowhere.csv", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    done = segrun("reproduce", "sweep", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the same: 2 points" in done.stdout
    assert "note: 1-kmeans is left out: failed, DataError: dataset.path=nowhere.csv" in done.stdout
    done = segrun("reproduce", "sweep/1-kmeans", cwd=tmp_path)
    assert done.returncode == 1
    assert "has no results: failed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "segrun reproduce PATH"),
        (["run", "seed=2"], 2, "seed=2: another experiment is no reproduction"),
        (["run", "hydra.launcher.n_job=2"], 2, "n_job"),
        (["bench_kmeans_smal"], 2, "Did you mean"),
        (["."], 1, "is no run directory"),
        (["sales.csv"], 1, "holds no expectation"),
    ],
)
def test_what_cannot_be_reproduced_says_why(segrun, run, original, tmp_path, arguments, code, said):
    shutil.copy(original / "sales.csv", tmp_path)
    done = segrun("reproduce", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_expectations_are_written_and_checked(segrun, original, tmp_path):
    done = segrun("reproduce", "--write", "mine.json", str(original / "sweep"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = segrun("reproduce", "mine.json", cwd=tmp_path)
    assert done.returncode == 2
    digest = hashlib.sha256((original / "sales.csv").read_bytes()).hexdigest()
    assert f"sha256 {digest}" in done.stderr
    path = f"dataset.path={original / 'sales.csv'}"
    done = segrun("reproduce", "mine.json", path, "hydra.sweep.dir=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "jobs.csv").exists()


def test_an_interrupted_reproduction_says_neither(original, tmp_path):
    command = [sys.executable, "-m", "segrun", "reproduce", str(original / "sweep")]
    under_way = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert "#0 of 2" in under_way.stderr.readline()
    under_way.send_signal(signal.SIGINT)
    shown, said = under_way.communicate(timeout=60)
    assert under_way.returncode == 130, said
    assert "the same" not in shown


EXPECTATIONS = sorted(
    path.name.removesuffix(".expected.json")
    for path in (conf_directory() / "experiment").glob("*.expected.json")
)


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_committed_benchmarks_come_to_what_was_committed(segrun, tmp_path, name):
    done = segrun("reproduce", name, cwd=tmp_path)
    if done.returncode == MISMATCH and "not the same environment" in done.stdout:
        pytest.skip(f"the expectation is of another environment: {done.stdout.splitlines()[-2]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "outputs" / name).glob("*/speedup.csv"))


def test_one_changed_digest_of_a_committed_benchmark_is_a_mismatch(segrun, tmp_path):
    file = tmp_path / "conf" / "experiment" / "bench_dbscan_small.expected.json"
    content = read_json(find_expected("bench_dbscan_small"))
    slug, point = next(iter(content["jobs"]["3-dbscan"]["points"].items()))
    point["labels"] = "f" * 64
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content))
    # The user's own expectation comes first.
    done = segrun("reproduce", "bench_dbscan_small", cwd=tmp_path)
    assert done.returncode == MISMATCH
    assert f"3-dbscan {slug}: sha256 of the labels: ffffffffffff then, " in done.stdout


@pytest.mark.slow
def test_a_job_that_nobody_expected_is_a_mismatch(segrun, tmp_path):
    few = ["dataset.n_customers=60", *SMALL]
    segrun("-m", *few, "hydra.sweep.dir=sweep", "seed=1", cwd=tmp_path)
    segrun("reproduce", "--write", "mine.json", "sweep", cwd=tmp_path)
    content = read_json(tmp_path / "mine.json")
    content["arguments"].append("timing.round=0,1")
    (tmp_path / "mine.json").write_text(json.dumps(content))
    done = segrun("reproduce", "mine.json", cwd=tmp_path)
    assert done.returncode == MISMATCH
    assert f"1-kmeans {POINT}: the point: missing then, there now" in done.stdout
    assert "NOT the same: 2 of 4 points differ" in done.stdout


def test_there_are_expectations_of_both_algorithms():
    assert EXPECTATIONS == ["bench_dbscan_small", "bench_kmeans_small"]
