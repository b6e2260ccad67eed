"""One run from experiment to directory, on the embedded data at a small size."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from segrun.algorithms.grid import Point
from segrun.config import Report
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import ConfigError
from segrun.rundir.directory import RunDirectory
from segrun.rundir.store import read_csv, read_manifest, sha256
from segrun.rundir.timings import Timings
from segrun.runner.evaluated import Evaluated
from segrun.runner.fit import Outcome
from segrun.runner.preflight.flight import Flight
from segrun.runner.run import _described
from segrun.runner.run import run as run_experiment

SMALL = ["dataset.n_customers=300", "hydra.run.dir=run"]


@pytest.fixture(scope="module")
def run(segrun, tmp_path_factory):
    """Directory of one small k-means run with repeats."""
    folder = tmp_path_factory.mktemp("run")
    done = segrun(*SMALL, "timing.repeats=2", "algo.grid.n_clusters=[2,5]", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_every_point_has_model_labels_and_a_row(run):
    points = [row["point"] for row in read_csv(run / "scores.csv")]
    assert points == [f"n_clusters={k},tol={t}" for k in (2, 5) for t in (0.001, 0.0001, 1e-05)]
    assert {p.stem for p in (run / "models").iterdir()} == set(points)
    assert {p.stem for p in (run / "predictions").iterdir()} == set(points)


def test_the_columns_of_the_tables_are_the_contract(run):
    scores, timings = read_csv(run / "scores.csv"), read_csv(run / "timings.csv")
    assert (
        list(scores[0])
        == (
            "point status reason param_n_clusters param_tol n_clusters n_noise noise_share "
            "smallest_share largest_share silhouette silhouette_se silhouette_rows davies_bouldin "
            "calinski_harabasz inertia n_iter converged limit selected"
        ).split()
    )
    stages = [row["stage"] for row in timings]
    assert stages.count("fit") == 12
    assert {"load", "features", "augment", "transform", "fit", "evaluate", "store"} == set(stages)


def test_the_manifest_is_true_of_every_file(run):
    manifest = read_manifest(run)
    assert manifest["status"] == "done"
    assert manifest["points"] == {"done": 6}
    there = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    assert there - set(manifest["files"]) == {"manifest.json", "segrun.log"}
    assert all(sha256(run / name) == digest for name, digest in manifest["files"].items())


def test_a_saved_model_predicts_the_stored_labels_from_the_raw_features(run):
    X = pl.read_parquet(run / "features.parquet").drop("CustomerID")
    for file in (run / "models").iterdir():
        stored = pl.read_parquet(run / "predictions" / f"{file.stem}.parquet")
        assert np.array_equal(joblib.load(file).predict(X), stored["label"])


def test_the_stored_scores_are_those_of_the_stored_labels(run):
    X = pl.read_parquet(run / "features.parquet").drop("CustomerID").to_numpy()
    Z = StandardScaler().fit_transform(X)
    for row in read_csv(run / "scores.csv"):
        labels = pl.read_parquet(run / "predictions" / f"{row['point']}.parquet")["label"]
        assert float(row["silhouette"]) == pytest.approx(silhouette_score(Z, labels), abs=1e-9)
        sizes = np.bincount(labels)
        assert float(row["smallest_share"]) == pytest.approx(sizes.min() / len(labels))


def test_the_best_silhouette_is_selected(run):
    rows = read_csv(run / "scores.csv")
    best = max(rows, key=lambda row: float(row["silhouette"]))
    assert [row["point"] for row in rows if row["selected"] == "true"] == [best["point"]]


def test_only_the_first_fit_of_all_is_cold(run):
    fits = [row for row in read_csv(run / "timings.csv") if row["stage"] == "fit"]
    assert [row["cold"] for row in fits] == ["true"] + ["false"] * 11
    assert [row["repeat"] for row in fits] == ["0"] * 6 + ["1"] * 6


def test_a_second_run_gives_the_same_bytes(segrun, run, tmp_path):
    segrun(*SMALL, "algo.grid.n_clusters=[2,5]", cwd=tmp_path)
    names = [n for n in read_manifest(run)["files"] if n.endswith(".parquet")]
    assert len(names) == 8
    for name in [*names, "scores.csv"]:
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes()


def test_the_manifest_identifies_input_and_customers(run):
    manifest = read_manifest(run)
    facts = manifest["features"]
    assert len(manifest["input"]["sha256"]) == 64
    assert len(pl.read_parquet(run / "features_all.parquet")) == facts["customers"] == 300
    assert len(pl.read_parquet(run / "features.parquet")) == facts["clustered"] < 300


def test_noise_is_counted_and_a_point_without_score_says_why(segrun, tmp_path):
    done = segrun(*SMALL, "algo=dbscan", "evaluation.max_noise_share=0", "store.models=best",
                  cwd=tmp_path)  # fmt: skip
    run = tmp_path / "run"
    n_rows = len(pl.read_parquet(run / "features.parquet"))
    sizes = read_csv(run / "sizes.csv")
    for row in read_csv(run / "scores.csv"):
        own = [s for s in sizes if s["point"] == row["point"]]
        assert sum(int(s["n_rows"]) for s in own) == n_rows
        assert {s["n_rows"] for s in own if s["label"] == "-1"} <= {row["n_noise"]}
        assert row["status"] == "done"
        assert bool(row["silhouette"]) != bool(row["reason"])
    assert "no point is selected" in done.stderr
    assert not list(run.rglob("*.joblib"))


@pytest.mark.slow
def test_another_seed_gives_another_jitter_and_another_sample(segrun, tmp_path):
    arguments = ["dataset=online_retail", "dataset.path=lines.csv", "augmentation=x10",
                 "algo.params.n_clusters=3", "algo.params.tol=1e-3", "algo.params.random_state=0",
                 "evaluation.silhouette.max_exact_rows=1",
                 "evaluation.silhouette.sample_rows=50"]  # fmt: skip
    generate(60, seed=0)[0].write_csv(tmp_path / "lines.csv")
    for seed in "01":
        done = segrun(*arguments, f"seed={seed}", f"hydra.run.dir={seed}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    first, second = (pl.read_parquet(tmp_path / s / "features.parquet") for s in "01")
    assert not first.equals(second)
    assert first["CustomerID"].equals(second["CustomerID"])


def test_a_value_in_params_fixes_the_axis(segrun, tmp_path):
    segrun(*SMALL, "algo.params.n_clusters=7", cwd=tmp_path)
    rows = read_csv(tmp_path / "run" / "scores.csv")
    assert [row["param_n_clusters"] for row in rows] == ["7", "7", "7"]


def test_a_point_that_fails_is_a_row_and_the_others_go_on(segrun, tmp_path):
    done = segrun(*SMALL, "algo.grid.n_clusters=[3,5000]", "algo.params.tol=1e-4", cwd=tmp_path)
    assert done.returncode == 1
    assert "n_clusters=5000" in done.stderr
    good, bad = read_csv(tmp_path / "run" / "scores.csv")
    assert (good["status"], bad["status"]) == ("done", "failed")
    assert "5000" in bad["reason"]
    assert bad["silhouette"] == ""
    manifest = read_manifest(tmp_path / "run")
    assert (manifest["status"], manifest["points"]) == ("incomplete", {"done": 1, "failed": 1})


@pytest.mark.parametrize(("kept", "n_models"), [("best", 1), ("none", 0)])
def test_fewer_models_are_kept_on_request(segrun, tmp_path, kept, n_models):
    segrun(*SMALL, f"store.models={kept}", "algo.params.tol=1e-4", cwd=tmp_path)
    run = tmp_path / "run"
    assert len(list(run.rglob("*.joblib"))) == n_models
    assert len(list((run / "predictions").iterdir())) == 9
    if kept == "best":
        selected = read_manifest(run)["selected"]
        assert (run / "models" / f"{selected}.joblib").is_file()


def test_a_fall_back_is_recorded_and_an_error_where_required(segrun, tmp_path):
    pytest.importorskip("sklearnex", reason="scikit-learn-intelex has no wheel here")
    arguments = ["dataset.n_customers=300", "algo=dbscan", "algo.params.algorithm=kd_tree"]
    assert segrun(*arguments, "hydra.run.dir=a", cwd=tmp_path).returncode == 0
    fits = [row for row in read_csv(tmp_path / "a" / "timings.csv") if row["stage"] == "fit"]
    assert {(row["backend_asked"], row["backend_ran"]) for row in fits} == {("onedal", "sklearn")}
    assert all("kd_tree" in row["reason"] for row in fits)
    done = segrun(*arguments, "hydra.run.dir=b", "backend.require=true", cwd=tmp_path)
    assert done.returncode == 1
    assert "kd_tree" in done.stderr
    assert {row["status"] for row in read_csv(tmp_path / "b" / "scores.csv")} == {"failed"}


def test_a_forgotten_random_state_still_comes_from_the_seed(segrun, tmp_path):
    for name in "ab":
        segrun("dataset.n_customers=300", "algo.params.random_state=null", f"hydra.run.dir={name}",
               cwd=tmp_path)  # fmt: skip
    for file in (tmp_path / "a" / "predictions").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / "predictions" / file.name).read_bytes()


def test_augmented_rows_carry_id_and_replica(segrun, tmp_path):
    segrun(*SMALL, "augmentation=x10", "algo.params.n_clusters=3", cwd=tmp_path)
    clean = pl.read_parquet(tmp_path / "run" / "features_all.parquet")
    frame = pl.read_parquet(tmp_path / "run" / "features.parquet")
    assert frame.columns[:3] == ["CustomerID", "replica", "Amount"]
    assert frame["replica"].value_counts()["count"].n_unique() == 1
    assert set(frame["CustomerID"]) <= set(clean["CustomerID"])


def start(folder, *arguments):
    command = [sys.executable, "-m", "segrun", *arguments]
    environment = {**os.environ, "SEGRUN_CACHE": str(folder / "cache")}
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for_points(run, n_points, process):
    deadline = time.monotonic() + 120
    while len(list(run.glob("predictions/*.parquet"))) < n_points:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


# Many repeats of a large grid: still at work when the signal comes.
LONG = [*SMALL, "augmentation=x100", "timing.repeats=50", "algo.params.tol=1e-4"]


def test_kill_9_leaves_whole_points_and_an_unfinished_directory(segrun, tmp_path):
    process = start(tmp_path, *LONG)
    wait_for_points(tmp_path / "run", 3, process)
    process.kill()
    process.wait()
    process.stderr.close()
    run = tmp_path / "run"
    assert read_manifest(run)["status"] == "unfinished"
    n_rows = len(pl.read_parquet(run / "features.parquet"))
    finished = list((run / "predictions").glob("*.parquet"))
    assert len(finished) >= 3
    for file in finished:
        labels = pl.read_parquet(file)["label"]
        model = joblib.load(run / "models" / f"{file.stem}.joblib")
        assert len(labels) == n_rows
        assert np.array_equal(model[-1].labels_, labels)
    assert len(read_csv(run / "timings.csv")) >= 3
    assert (run / "environment.json").is_file()
    assert (run / ".hydra" / "overrides.yaml").is_file()
    again = segrun("dataset.n_customers=300", "algo.params.tol=1e-4", cwd=tmp_path)
    assert again.returncode == 0, again.stderr


@pytest.mark.heavy
@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one child on Windows")
def test_ctrl_c_is_recorded_and_has_its_own_exit_code(tmp_path):
    process = start(tmp_path, *LONG)
    wait_for_points(tmp_path / "run", 1, process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    assert any(name.startswith("predictions/") for name in manifest["files"])


@pytest.fixture(scope="module")
def tiny(composed):
    return composed(
        "dataset.n_customers=80", "backend=sklearn", "algo.grid.n_clusters=[2,3]",
        "algo.params.tol=1e-3", "preflight.action=none", "evaluation.min_share=0",
        "features.warn_removed=1",
        "evaluation.max_share=1",
    )  # fmt: skip


@pytest.mark.heavy
def test_a_good_run_warns_of_nothing_that_it_does_not_record(tiny, tmp_path, caplog):
    result = run_experiment(tiny, tmp_path / "run", {"more.txt": "kept"})
    manifest = read_manifest(tmp_path / "run")
    assert (result.status, result.exit_code, result.points) == ("done", 0, {"done": 2})
    assert result.selected == manifest["selected"] is not None
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert told == [f"selected point {result.selected}: {text}" for text in manifest["cautions"]]
    assert manifest["warnings"] == told
    assert "no point is selected" not in caplog.text
    assert {"more.txt", "experiment.yaml", "scores.csv", "sizes.csv", "timings.csv",
            "environment.json", "points.json"} < set(manifest["files"])  # fmt: skip
    assert (tmp_path / "run" / "more.txt").read_text() == "kept"
    assert not (tmp_path / "run" / "segments.csv").exists()
    for row in read_csv(tmp_path / "run" / "scores.csv"):
        labels = pl.read_parquet(tmp_path / "run" / "predictions" / f"{row['point']}.parquet")
        assert int(row["n_clusters"]) == labels["label"].n_unique()
        assert (row["selected"] == "true") == (row["point"] == result.selected)


@pytest.mark.heavy
def test_segments_are_described_where_that_is_asked_for_and_there_are_any(tiny, tmp_path, caplog):
    out, outcome = RunDirectory(tmp_path), Outcome(Point("k=2", {}, {}))
    good = Evaluated([outcome], {}, "k=2", Flight([], 0, 0), {"cautions": ["half are noise"]})
    assert _described(tiny, out, Timings(), good) == ""
    assert "selected point k=2: half are noise" in caplog.text
    caplog.clear()
    failed = replace(good, outcomes=[replace(outcome, status="failed")], facts={"cautions": []})
    assert _described(replace(tiny, report=Report.html), out, Timings(), failed) == ""
    assert caplog.text == ""
    assert [path.name for path in tmp_path.iterdir()] == ["UNFINISHED"]


def test_a_run_that_cannot_begin_says_so_in_its_manifest(tiny, tmp_path):
    wrong = replace(tiny, evaluation=replace(tiny.evaluation, min_share=0.6, max_share=0.5))
    with pytest.raises(ConfigError, match="min_share"):
        run_experiment(wrong, tmp_path / "run", {"more.txt": "kept"})
    manifest = read_manifest(tmp_path / "run")
    assert manifest["status"] == "failed"
    assert manifest["reason"].startswith("ConfigError: evaluation.min_share=0.6")
    assert set(manifest["files"]) == {"experiment.yaml", "more.txt"}


@pytest.mark.heavy
def test_a_password_is_not_written_down(tiny, tmp_path, composed):
    with pytest.raises(ConfigError, match=r"dataset\.path") as caught:
        run_experiment(composed("dataset=online_retail", "dataset.path=" + repr(
            "postgresql://me:hidden@host/db")), tmp_path / "run")  # fmt: skip
    assert "hidden" not in str(caught.value)
    assert not (tmp_path / "run").exists()
