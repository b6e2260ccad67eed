"""The pre-flight: told, warned of, sampled, refused; also of sparse features that are filled."""

import logging

import numpy as np
import pytest
import yaml
from hydra import compose, initialize_config_dir
from scipy.sparse import csr_array

from segrun.cli.compose import prepare
from segrun.config import (
    PreflightAction,
    PreflightConfig,
    Scale,
    TransformConfig,
    conf_directory,
    to_experiment,
)
from segrun.errors import PreflightError
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns
from segrun.rundir.store import read_csv, read_manifest
from segrun.runner.preflight.flight import TimeLimit, TooLongError, check_dense, filled_bytes

SMALL = ["dataset.n_customers=300", "algo.grid.n_clusters=[2,3]", "algo.params.tol=1e-4",
         "hydra.run.dir=run"]  # fmt: skip


def words(text):
    return " ".join(text.split())


def test_the_estimate_is_told_and_what_happened_stands_beside_it(segrun, tmp_path):
    done = segrun(*SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "INFO: about " in done.stderr
    rows = read_csv(tmp_path / "run" / "preflight.csv")
    assert [row["stage"] for row in rows] == ["fit", "evaluate", "store"]
    timings = read_csv(tmp_path / "run" / "timings.csv")
    fits = sum(float(row["wall_seconds"]) for row in timings if row["stage"] == "fit")
    assert float(rows[0]["wall_seconds"]) == pytest.approx(fits)
    for row in rows:
        assert int(row["about_peak_bytes"]) > 0
        assert int(row["peak_rss_bytes"]) > 0
    assert int(rows[2]["about_disk_bytes"]) > 0
    assert "preflight.csv" in read_manifest(tmp_path / "run")["files"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["preflight.max_memory_share=1e-4"], ["preflight.max_memory_share=0.0001", "fewer rows"]),
        (["algo=dbscan", "preflight.max_memory_share=1e-4", "~algo.grid.n_clusters"],
         ["backend=native (about", "neighbours a row within eps=0.7"]),
    ],
)  # fmt: skip
def test_a_refusal_names_number_key_and_cure_before_any_fit(segrun, tmp_path, changes, said):
    small = SMALL if "algo=dbscan" not in changes else [SMALL[0], SMALL[3]]
    changes = [text for text in changes if not text.startswith("~")]
    done = segrun(*small, *changes, "preflight.action=refuse", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for text in (*said, "preflight.action=warn"):
        assert text in words(done.stderr)
    run = tmp_path / "run"
    manifest = read_manifest(run)
    assert manifest["status"] == "failed"
    assert said[0] in manifest["reason"]
    left = {path.relative_to(run).parts[0] for path in run.rglob("*")}
    assert not left & {"UNFINISHED", "models", "predictions", "scores.csv", "points.json"}


def test_a_warning_does_not_stop_the_run(segrun, tmp_path):
    done = segrun(*SMALL, "preflight.max_seconds=1e-3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert words(done.stderr).count("WARNING: the run takes about") == 1
    assert read_manifest(tmp_path / "run")["status"] == "done"


def test_an_exact_silhouette_that_takes_too_long_is_sampled(segrun, tmp_path):
    sample = ["evaluation.silhouette.sample_rows=100", "preflight.action=sample"]
    done = segrun(*SMALL, *sample, "preflight.max_seconds=1e-3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the silhouette is sampled, 100 of " in words(done.stderr)
    run = tmp_path / "run"
    rows = read_csv(run / "scores.csv")
    assert [row["silhouette_rows"] for row in rows] == ["100", "100"]
    # What ran is written: the same experiment with all the time samples again.
    ran = yaml.safe_load((run / "experiment.yaml").read_text())
    assert ran["evaluation"]["silhouette"] == {"max_exact_rows": 100, "sample_rows": 100}
    again = segrun("run/experiment.yaml", "preflight.max_seconds=null", "hydra.run.dir=again",
                   cwd=tmp_path)  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert [row["silhouette"] for row in read_csv(tmp_path / "again" / "scores.csv")] == [
        row["silhouette"] for row in rows
    ]


def test_a_silhouette_within_the_limit_stays_exact(segrun, tmp_path):
    sample = ["evaluation.silhouette.sample_rows=100", "preflight.action=sample"]
    done = segrun(*SMALL, *sample, "preflight.max_seconds=3600", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {row["silhouette_se"] for row in read_csv(tmp_path / "run" / "scores.csv")} == {"0.0"}


@pytest.mark.slow
def test_without_the_estimate_results_are_the_same_and_nothing_is_told(segrun, tmp_path):
    told = segrun(*SMALL, cwd=tmp_path)
    quiet = segrun(*SMALL[:-1], "preflight.action=none", "hydra.run.dir=quiet", cwd=tmp_path)
    assert told.returncode == quiet.returncode == 0
    assert "INFO: about" not in quiet.stderr
    assert not (tmp_path / "quiet" / "preflight.csv").exists()
    a, b = read_manifest(tmp_path / "run"), read_manifest(tmp_path / "quiet")
    assert a["key"] == b["key"]
    assert a["files"]["scores.csv"] == b["files"]["scores.csv"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("preflight.max_seconds=0", "preflight.max_seconds must be above 0"),
        ("preflight.max_seconds=nan", "preflight.max_seconds must be above 0"),
        (
            "preflight.max_memory_share=0",
            "max_memory_share must be above 0 and at most 1",
        ),
        (
            "preflight.max_memory_share=1.5",
            "max_memory_share must be above 0 and at most 1",
        ),
        ("preflight.action=stop", "none, warn, sample, refuse"),
    ],
)
def test_a_wrong_value_is_one_clear_message(segrun, tmp_path, change, said):
    done = segrun(change, cwd=tmp_path)
    assert done.returncode == 2
    assert said in words(done.stderr)
    assert "Traceback" not in done.stderr


def test_a_refused_job_of_a_sweep_is_its_row_and_the_others_go_on(segrun, tmp_path):
    done = segrun("-m", "dataset.n_customers=300", "algo.params.tol=1e-4",
                  "algo.grid.n_clusters=[2],[3]", "preflight.action=refuse",
                  "preflight.max_memory_share=1e-4,0.9", "hydra.sweep.dir=sweep",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    jobs = read_csv(tmp_path / "sweep" / "jobs.csv")
    assert [row["status"] for row in jobs] == ["failed", "done"] * 2
    assert "preflight.max_memory_share" in jobs[0]["reason"]


def test_the_plan_estimates_by_size_what_has_no_history(segrun, tmp_path):
    plan = segrun("plan", "--estimate", "algo=kmeans,dbscan,birch", "augmentation=rows_40k",
                  cwd=tmp_path)  # fmt: skip
    assert plan.returncode == 0, plan.stderr
    kmeans, dbscan, birch = (line for line in plan.stdout.splitlines() if "missing " in line)
    assert "no finished run; by size" in kmeans
    assert "40,000 rows" in kmeans
    assert " MB " in kmeans
    assert "neighbours not counted" in dbscan
    assert "not known of this algorithm" in birch


@pytest.mark.slow
def test_the_plan_knows_the_rows_of_a_file_once_a_run_has_read_it(segrun, tmp_path):
    lines = [f"c{i % 40},2024-01-{1 + i % 28:02d},{5 + i % 17}.5" for i in range(400)]
    (tmp_path / "f.csv").write_text("\n".join(["who,when,how_much", *lines]) + "\n")
    data = ["dataset=transactions", "dataset.path=f.csv", "features=rfm",
            "dataset.columns={customer: who, date: when, amount: how_much}"]  # fmt: skip
    before = segrun("plan", "--estimate", *data, cwd=tmp_path)
    assert "no finished run of this kind" in before.stdout
    done = segrun(*data, "algo=birch", "algo.grid.n_clusters=[2]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = segrun("plan", "--estimate", *data, "augmentation=x10", cwd=tmp_path)
    assert "400 rows" in after.stdout


def test_a_run_that_takes_too_long_is_refused_as_soon_as_it_shows(segrun, tmp_path):
    limit = ["preflight.max_seconds=1e-3", "preflight.action=refuse"]
    done = segrun(*SMALL, "timing.share=false", *limit, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for text in ("preflight.max_seconds=0.001", "50% of the fits", "Cheaper: ", "action=warn"):
        assert text in words(done.stderr)
    manifest = read_manifest(tmp_path / "run")
    assert manifest["status"] == "failed"
    assert "preflight.max_seconds" in manifest["reason"]
    # What was finished stays.
    assert len(list((tmp_path / "run" / "predictions").iterdir())) == 1


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def limit(action, max_seconds=10.0):
    return TimeLimit(PreflightConfig(PreflightAction[action], max_seconds))


def test_what_is_left_takes_as_long_as_what_is_done(clock):
    found = limit("refuse")
    clock.now += 4.0
    # What came before the first piece comes once.
    found.reach("the fits", 0.1, ())
    clock.now += 0.6
    found.reach("the fits", 0.2, ())
    clock.now += 1.0
    with pytest.raises(
        PreflightError, match=r"about 11 s, by the 30% of the fits .*backend=native"
    ):
        found.reach("the fits", 0.3, ["backend=native"])


def test_the_time_of_one_stage_tells_nothing_of_the_next(clock):
    found = limit("refuse")
    for share in (0.5, 1.0):
        clock.now += 4.0
        found.reach("the fits", share, ())
    found.reach("the scores", 0.0, ())
    found.reach("the scores", 0.1, ())


def test_a_warning_is_told_once(clock, caplog):
    found = limit("warn")
    for share in (0.1, 0.2, 0.3):
        clock.now += 20.0
        found.reach("the fits", share, ())
    assert caplog.text.count("preflight.max_seconds=10 allows") == 1


def test_scores_that_take_too_long_are_sampled_where_that_is_allowed(clock):
    found = limit("sample")
    clock.now += 11.0
    found.reach("the fits", 1.0, ())
    with pytest.raises(TooLongError, match="about 11 s"):
        found.reach("the scores", 0.0, (), can_sample=True)
    # All is done already, or nothing can be sampled.
    found.reach("the scores", 1.0, (), can_sample=True)
    found.reach("the scores", 0.5, (), can_sample=False)


@pytest.mark.parametrize(("action", "most"), [("none", 10.0), ("refuse", None)])
def test_without_a_limit_a_run_takes_what_it_takes(clock, action, most):
    found = limit(action, most)
    clock.now += 1e6
    found.reach("the fits", 0.1, ())


def experiment(*overrides):
    prepare()
    with initialize_config_dir(str(conf_directory()), version_base=None):
        return to_experiment(compose("segrun", ["experiment=movielens", *overrides]))


def users(n_users, n_items):
    ids = np.array([str(n) for n in range(max(n_users, n_items))], dtype=object)
    counts = np.zeros(n_items)
    items = Items(ids[:n_items], ids[:n_items], counts.astype(int), counts)
    matrix = csr_array((n_users, n_items), dtype=np.float64)
    return Customers("UserID", ids[:n_users], SparseColumns(matrix, items))


@pytest.mark.parametrize(
    ("reduction", "n_bytes"),
    [
        ({"pca": None}, 2 * 8 * 6_000 * 4_000),
        ({"pca": 10}, 8 * 10 * (6_000 + 3 * 4_000)),
        ({"pca": None, "svd": 10}, 8 * 10 * (6_000 + 3 * 4_000)),
        ({"pca": 0.5}, 4 * 8 * 4_000**2),
    ],
)
def test_the_bytes_are_those_of_what_is_filled(reduction, n_bytes):
    config = TransformConfig(log1p=[], scale=Scale.none, **reduction)
    assert filled_bytes(users(6_000, 4_000).columns, config)[0] == n_bytes


@pytest.mark.heavy
def test_what_no_machine_has_is_refused_or_warned_of_or_not_asked(caplog):
    # Nothing of it is there: the matrix is empty.
    many = users(300_000, 300_000)
    with pytest.raises(PreflightError, match=r"300,000 users x 300,000 items, twice"):
        check_dense(many, experiment("transform=none", "preflight.action=refuse"))
    with caplog.at_level(logging.WARNING):
        check_dense(many, experiment("transform=none", "preflight.action=none"))
        assert not caplog.text
        check_dense(many, experiment("transform=none"))
    assert "transform needs about 1,400 GB" in caplog.text
    check_dense(many, experiment("transform=pca_10", "preflight.action=refuse"))
