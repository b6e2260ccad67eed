"""Sweeps by Optuna, through the real command."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter

import optuna
import polars as pl
import pytest

from segrun.rundir.store import read_csv, read_manifest

SEARCH = ["-m", "hydra/sweeper=optuna", "features=rfm", "dataset.n_customers=150",
          "hydra.sweep.dir=sweep"]  # fmt: skip


def study_in(folder, name="segrun"):
    return optuna.load_study(study_name=name, storage=f"sqlite:///{folder / 'study.db'}")


def silhouettes(table):
    return {row["job"]: float(row["silhouette"]) for row in table if row["silhouette"]}


@pytest.mark.slow
def test_three_algorithms_with_spaces_of_their_own_and_the_best_runs_again(segrun, tmp_path):
    done = segrun(*SEARCH, "algo=kmeans,dbscan,birch", "hydra.sweeper.n_trials=12", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sweep = tmp_path / "sweep"
    table = read_csv(sweep / "scores.csv")
    assert len(table) == 12
    assert {row["algo"] for row in table} == {"kmeans", "dbscan", "birch"}
    for row in table:
        axes = {"kmeans": ["n_clusters", "tol"], "dbscan": ["min_samples", "eps"],
                "birch": ["n_clusters", "threshold"]}[row["algo"]]  # fmt: skip
        assert all(row[f"param_{axis}"] for axis in axes)
    allowed = [row for row in table if row["silhouette"] and float(row["noise_share"]) <= 0.5]
    best = max(allowed, key=lambda row: float(row["silhouette"]))
    assert study_in(sweep).best_trial.user_attrs["job"] == best["job"]

    again = segrun("sweep/best.yaml", "hydra.run.dir=again", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    (row,) = read_csv(tmp_path / "again" / "scores.csv")
    same = ("point", "silhouette", "davies_bouldin", "inertia", "n_clusters")
    assert [row[name] for name in same] == [best[name] for name in same]
    assert read_manifest(tmp_path / "again")["key"] == read_manifest(sweep / best["job"])["key"]


def test_data_are_prepared_once_for_trials_that_have_them_in_common(segrun, tmp_path):
    done = segrun(*SEARCH, "algo=kmeans", "hydra.sweeper.n_trials=4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stages = [
        Counter(row["stage"] for row in read_csv(tmp_path / "sweep" / f"{n}-kmeans/timings.csv"))
        for n in range(4)
    ]
    assert [found["features"] for found in stages] == [1, 0, 0, 0]
    files = [
        (tmp_path / "sweep" / f"{n}-kmeans" / "features.parquet").read_bytes() for n in range(4)
    ]
    assert len(set(files)) == 1


@pytest.mark.slow
def test_two_feature_sets_are_each_prepared_once(segrun, tmp_path):
    done = segrun("-m", "hydra/sweeper=optuna", "dataset.n_customers=150", "algo=kmeans",
                  "features=rfm,rfm_calendar", "hydra.sweeper.sampler=random",
                  "hydra.sweeper.n_trials=8", "hydra.sweep.dir=sweep", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = [read_csv(path) for path in (tmp_path / "sweep").glob("*/timings.csv")]
    assert len(tables) == 8
    assert sum(row["stage"] == "features" for table in tables for row in table) == 2
    # Scores of the one set cannot be compared with those of the other.
    table = read_csv(tmp_path / "sweep" / "scores.csv")
    best = {row["job"] for row in table if row["rank"] == "1"}
    files = list((tmp_path / "sweep").glob("best*.yaml"))
    assert len(files) == len({row["matrix"] for row in table}) == 2
    assert all(any(f"{job}: silhouette" in line for job in best)
               for line in done.stderr.splitlines() if "best: " in line)  # fmt: skip
    assert "scores cannot be compared: the best of each" in done.stderr


def test_two_objectives_give_a_front_and_a_file_each(segrun, tmp_path):
    done = segrun(*SEARCH, "algo=kmeans,birch", "hydra.sweeper.n_trials=15",
                  "hydra.sweeper.objectives=[silhouette,smallest_share]", "hydra.sweeper.limits={}",
                  "hydra.sweeper.sampler=nsgaii", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [row for row in read_csv(tmp_path / "sweep" / "scores.csv") if row["silhouette"]]
    found = {r["job"]: (float(r["silhouette"]), float(r["smallest_share"])) for r in rows}
    front = {
        values
        for values in found.values()
        if not any(
            other != values and other[0] >= values[0] and other[1] >= values[1]
            for other in found.values()
        )
    }
    files = {path.stem for path in (tmp_path / "sweep").glob("best*.yaml")}
    assert len(files) == len(front)
    if len(front) > 1:
        numbers = {file.removeprefix("best-") for file in files}
        assert {found[job] for job in found if job.split("-")[0] in numbers} == front


@pytest.mark.slow
def test_features_and_transform_and_backend_are_searched_too(segrun, tmp_path):
    done = segrun("-m", "hydra/sweeper=optuna", "dataset.n_customers=120", "algo=kmeans",
                  "features=rfm,rfm_calendar", "transform=standard,robust",
                  "backend=onedal,sklearn", "algo.params.n_clusters=range(2,6)",
                  "algo.params.tol=1e-4", "hydra.sweeper.n_trials=12",
                  "hydra.sweeper.sampler=random", "hydra.sweep.dir=sweep",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = read_csv(tmp_path / "sweep" / "scores.csv")
    assert {row["features"] for row in table} == {"rfm", "rfm_calendar"}
    assert {row["backend"] for row in table} == {"onedal", "sklearn"}
    assert {row["param_tol"] for row in table} == {"0.0001"}
    assert {int(row["param_n_clusters"]) for row in table} <= {2, 3, 4, 5}


def test_the_grid_sampler_runs_every_point_once(segrun, tmp_path):
    done = segrun(*SEARCH, "algo=kmeans", "algo.params.n_clusters=2,3,4",
                  "algo.params.tol=choice(1e-3,1e-4)", "hydra.sweeper.sampler=grid",
                  "hydra.sweeper.n_trials=null", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = read_csv(tmp_path / "sweep" / "scores.csv")
    points = sorted(row["point"] for row in table)
    assert points == sorted(f"n_clusters={k},tol={t}" for k in (2, 3, 4) for t in (0.001, 0.0001))


@pytest.mark.slow
def test_failed_and_degenerate_trials_do_not_end_the_sweep(segrun, unruly, tmp_path):
    done = segrun(*SEARCH, "algo=unruly", "algo.params.way=well,raises,killed",
                  "algo.params.k=range(1,4)", "hydra.sweeper.n_trials=9",
                  "hydra.sweeper.sampler=grid", cwd=tmp_path, **unruly)  # fmt: skip
    assert done.returncode == 1, done.stderr
    ends = Counter(row["status"] for row in read_csv(tmp_path / "sweep" / "jobs.csv"))
    assert ends == {"done": 3, "failed": 3, "crashed": 3}
    states = Counter(trial.state.name for trial in study_in(tmp_path / "sweep").trials)
    assert states == {"COMPLETE": 3, "FAIL": 6}
    worst = min(trial.value for trial in study_in(tmp_path / "sweep").trials if trial.value)
    assert worst == -1.0  # one cluster has no silhouette

    (tmp_path / "cured").touch()
    again = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert again.returncode == 0, again.stderr
    ends = Counter(row["status"] for row in read_csv(tmp_path / "sweep" / "jobs.csv"))
    assert ends == {"done": 9}


def going_on(folder, asked):
    """Return what to call: where the sweep was killed before it was written down, all of it."""
    return ["resume", "sweep"] if (folder / "sweep" / "sweep.json").exists() else asked


def killed_now_and_then(start, folder, asked, moments):
    draw, n_killed = random.Random(3), 0
    while n_killed < moments:
        command = start(*going_on(folder, asked))
        try:
            command.process.wait(timeout=draw.uniform(1.0, 3.5))
        except subprocess.TimeoutExpired:
            command.send(signal.SIGKILL)
            n_killed += 1
        else:
            command.process.communicate()
            return


def test_a_killed_study_goes_on_to_the_same_trials(segrun, start, tmp_path):
    asked = [*SEARCH, "algo=kmeans,birch", "hydra.sweeper.n_trials=14"]
    whole = [part.replace("=sweep", "=whole") for part in asked]
    assert segrun(*whole, cwd=tmp_path).returncode == 0
    killed_now_and_then(start, tmp_path, asked, 3)
    last = segrun(*going_on(tmp_path, asked), cwd=tmp_path)
    assert last.returncode == 0, last.stderr
    tables = [
        [{k: v for k, v in row.items() if "seconds" not in k}
         for row in read_csv(tmp_path / name / "scores.csv")]
        for name in ("whole", "sweep")
    ]  # fmt: skip
    assert tables[0] == tables[1]
    trials = study_in(tmp_path / "sweep").trials
    assert [trial.number for trial in trials] == list(range(14))
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    for name in ("whole", "sweep"):
        labels = [pl.read_parquet(path) for path in sorted(
            (tmp_path / name).glob("*/predictions/*.parquet"))]  # fmt: skip
        assert len(labels) == 14


@pytest.mark.slow
def test_two_processes_share_a_study(segrun, start, tmp_path):
    asked = ["-m", "hydra/sweeper=optuna", "algo=kmeans", "features=rfm", "dataset.n_customers=80",
             "hydra.sweeper.storage=sqlite:///study.db", "hydra.sweeper.n_trials=16",
             "hydra.sweeper.sampler=random"]  # fmt: skip
    both = [start(*asked, f"hydra.sweep.dir={name}") for name in ("a", "b")]
    for command in both:
        assert command.process.wait(120) == 0, command.process.communicate()
    trials = study_in(tmp_path).trials
    assert [trial.number for trial in trials] == list(range(16))
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    jobs = [{path.name for path in (tmp_path / name).glob("*-kmeans")} for name in ("a", "b")]
    assert jobs[0] | jobs[1] == {f"{n}-kmeans" for n in range(16)}
    assert not jobs[0] & jobs[1]


@pytest.mark.slow
def test_the_time_is_up(segrun, unruly, tmp_path):
    done = segrun(*SEARCH, "algo=unruly", "algo.params.seconds=0.5", "hydra.sweeper.timeout=3",
                  "hydra.sweeper.n_trials=null", cwd=tmp_path, **unruly)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 1 <= len(read_csv(tmp_path / "sweep" / "jobs.csv")) <= 6


@pytest.mark.parametrize(
    ("settings", "said", "code"),
    [
        (["algo.params.n_cluters=range(2,5)"], "unknown key. Did you mean 'n_clusters'", 2),
        (["algo.params.n_clusters=range(5,2)"], "empty range", 2),
        (["algo.params.tol=interval(1,0.1)"], "reversed", 2),
        (["algo.params.tol=tag(log, interval(0,0.1))"], "log", 2),
        (["hydra.sweeper.objectives=[sillhouette]"], "Did you mean 'silhouette'", 2),
        (["hydra.sweeper.objectives={silhouette: upwards}"], "maximize", 2),
        (["hydra.sweeper.limits={noise: {max: 1}}"], "noise_share", 2),
        (["hydra.sweeper.sampler=tpa"], "Did you mean 'tpe'", 2),
        (["hydra.sweeper.sampler=grid", "algo.params.tol=interval(0.1,1)"], "grid", 2),
        (["hydra.sweeper.storage=sqlite:////dev/null/study.db"], "cannot be opened", 1),
        (["hydra.sweeper.storage=study.db"], "study.db", 1),
        (["hydra.sweeper.n_trial=3"], "Did you mean 'n_trials'", 2),
        (["+algo.search.nothing='range(2,4)'"], "algo.params has no 'nothing'", 2),
        (["algo=kmeans,nope"], "nope", 2),
    ],
)
def test_a_wrong_search_is_refused_before_anything_is_written(
    segrun, tmp_path, settings, said, code
):
    done = segrun(*SEARCH, "algo=kmeans", *settings, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("settings", "tol"),
    [
        (["algo.search.tol=null", "algo.grid.tol=[0.5,0.25]"], "choice(0.5, 0.25)"),
        (["algo.search.tol=null", "algo.params.tol=1e-4"], None),
        (["algo.search.tol=null", "algo.params.tol=interval(0.1,1)"], "float 0.1..1.0"),
        (["algo=mine"], None),
    ],
    ids=["an axis", "a fixed axis", "drawn by the command line", "fixed by a file"],
)
def test_a_space_of_null_is_as_if_there_were_none(segrun, tmp_path, settings, tol):
    mine = tmp_path / "conf" / "algo" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text(
        "defaults: [kmeans, _self_]\n"
        "params: {tol: 1e-4}\n"
        "grid: {n_clusters: [2, 3]}\n"
        "search: {tol: null}\n"
    )
    plan = segrun("plan", *SEARCH, "algo=kmeans", *settings, cwd=tmp_path)
    assert plan.returncode == 0, plan.stderr
    drawn = dict(line.strip().split(": ", 1) for line in plan.stdout.splitlines() if ": " in line)
    assert drawn["algo.params.n_clusters"] == "int 2..30"
    assert drawn.get("algo.params.tol") == tol


@pytest.mark.slow
def test_a_study_of_another_space_is_refused(segrun, tmp_path):
    first = [*SEARCH, "algo=kmeans", "hydra.sweeper.n_trials=1",
             "hydra.sweeper.storage=sqlite:///s.db"]  # fmt: skip
    assert segrun(*first, cwd=tmp_path).returncode == 0
    other = segrun(*first, "algo.params.n_clusters=range(2,5)", "hydra.sweep.dir=other",
                   cwd=tmp_path)  # fmt: skip
    assert other.returncode == 2, other.stderr
    assert "another space" in other.stderr
    assert "hydra.sweeper.study_name" in other.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_an_installed_hydra_optuna_sweeper_does_not_win(segrun, tmp_path):
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site),
         "hydra-optuna-sweeper==1.3.0"],
        check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip
    done = segrun(*SEARCH, "algo=kmeans", "hydra.sweeper.n_trials=2", cwd=tmp_path,
                  PYTHONPATH=str(site))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(study_in(tmp_path / "sweep").trials) == 2
