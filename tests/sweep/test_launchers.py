"""Every launcher runs the same frozen jobs to the same results."""

import os
import signal
import time

import polars as pl
import psutil
import pytest

from segrun.rundir.store import read_csv, read_manifest

SWEEP = ["-m", "algo=kmeans,birch", "seed=1,2", "features=rfm", "dataset.n_customers=150",
         "hydra.sweep.dir=sweep"]  # fmt: skip
LAUNCHERS = {
    "process": ["hydra.launcher.n_jobs=2"],
    "joblib": [],
    "dask": [],
    "submitit": ["hydra.launcher.cluster=local"],
}
LIBRARIES = {"dask": "distributed", "submitit": "submitit"}


def labels(sweep):
    return {
        path.relative_to(sweep).as_posix(): pl.read_parquet(path)["label"].to_list()
        for path in sweep.glob("*/predictions/*.parquet")
    }


@pytest.fixture(scope="module")
def in_process(segrun, tmp_path_factory):
    folder = tmp_path_factory.mktemp("basic")
    assert segrun(*SWEEP, "hydra/launcher=basic", cwd=folder).returncode == 0
    return labels(folder / "sweep")


@pytest.mark.parametrize(
    "name", [n if n == "process" else pytest.param(n, marks=pytest.mark.slow) for n in LAUNCHERS]
)
def test_a_launcher_comes_to_the_labels_of_one_process(segrun, in_process, tmp_path, name):
    pytest.importorskip(LIBRARIES.get(name, "joblib"))
    done = segrun(*SWEEP, f"hydra/launcher={name}", *LAUNCHERS[name], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert labels(tmp_path / "sweep") == in_process
    timings = read_csv(tmp_path / "sweep" / "0-kmeans" / "timings.csv")
    # Timings that were taken side by side say so.
    assert {row["n_parallel"] for row in timings} == {"2"}


@pytest.mark.parametrize(
    "name",
    ["process", *(pytest.param(n, marks=pytest.mark.slow) for n in ("joblib", *LIBRARIES))],
)
def test_a_job_that_raises_or_dies_does_not_stop_the_others(segrun, unruly, tmp_path, name):
    pytest.importorskip(LIBRARIES.get(name, "joblib"))
    done = segrun("-m", "algo=unruly", "algo.params.way=well1,raises,killed,well2",
                  "features=rfm", "dataset.n_customers=100", "hydra.sweep.dir=sweep",
                  f"hydra/launcher={name}", *LAUNCHERS[name], cwd=tmp_path, **unruly)  # fmt: skip
    assert done.returncode == 1, done.stderr
    rows = read_csv(tmp_path / "sweep" / "jobs.csv")
    found = [row["status"] for row in rows]
    if name == "joblib":
        # A worker that dies takes those of the others with it; they are told, and resumed.
        assert found[2] == "crashed", rows
        assert set(found) <= {"done", "failed", "crashed"}
    else:
        assert found == ["done", "failed", "crashed", "done"], rows
    (tmp_path / "cured").touch()
    again = segrun("resume", "sweep", "hydra/launcher=process", cwd=tmp_path, **unruly)
    assert again.returncode == 0, again.stderr


def test_a_dask_sweep_completes_although_a_worker_is_killed(start, unruly, tmp_path):
    pytest.importorskip("distributed")
    command = start("-m", "algo=unruly", "algo.params.seconds=0.5", "seed=1,2,3,4,5,6",
                    "features=rfm", "dataset.n_customers=100", "hydra.sweep.dir=sweep",
                    "hydra/launcher=dask", "hydra.launcher.n_workers=3", **unruly)  # fmt: skip
    mark = tmp_path / "sweep" / "1-unruly" / "UNFINISHED"
    command.wait_for(mark.exists)
    time.sleep(0.3)
    worker = int(mark.read_text().split("process ")[1].split(".")[0])
    assert psutil.Process(worker).is_running()
    os.kill(worker, signal.SIGKILL)
    _, stderr = command.process.communicate(timeout=120)
    assert command.process.returncode == 0, stderr
    jobs = [tmp_path / "sweep" / f"{number}-unruly" for number in range(6)]
    assert {read_manifest(job)["status"] for job in jobs} == {"done"}
    rows = read_csv(tmp_path / "sweep" / "jobs.csv")
    assert [row["status"] for row in rows] == ["done"] * 6


def test_a_launcher_without_its_library_names_the_extra(segrun, tmp_path):
    (tmp_path / "site" / "distributed").mkdir(parents=True)
    (tmp_path / "site" / "distributed" / "__init__.py").write_text("raise ImportError('none')")
    done = segrun(*SWEEP[:1], "hydra/launcher=dask", cwd=tmp_path,
                  PYTHONPATH=str(tmp_path / "site"))  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "pip install 'segrun[dask]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["hydra.launcher.n_jobs=0"], "n_jobs must be at least 1"),
        (["hydra.launcher.memory_limit=4XB"], "no amount of memory"),
        (["hydra.launcher.time_limit_seconds=-1"], "above 0"),
        (["hydra.launcher.n_jbs=2"], "n_jbs"),
        (["hydra/launcher=joblib", "hydra.launcher.backend=threading"], "loky"),
        (["hydra/launcher=proces"], "process"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_runs(segrun, tmp_path, settings, said):
    done = segrun("-m", "hydra.sweep.dir=sweep", *settings, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("sweep/*-kmeans"))
