"""Resume runs what is missing or failed and nothing else, and comes to the undisturbed result."""

import json
import random
import shutil
import signal
import subprocess
import time

import polars as pl
import pytest

from segrun.data.datasets.synthetic_retail import generate
from segrun.rundir.store import read_csv, read_manifest

#: Six jobs of six points, each of which takes a moment.
SWEEP = ["-m", "algo=unruly", "algo.grid={k: [2, 3, 4, 5, 6, 7]}", "algo.params.seconds=0.05",
         "dataset.n_customers=150", "features=rfm", "seed=1,2,3,4,5,6"]  # fmt: skip


def scores(sweep):
    """Everything of the aggregate but the times."""
    return [{k: v for k, v in row.items() if "seconds" not in k} for row in read_csv(
        sweep / "scores.csv")]  # fmt: skip


def labels(sweep):
    return {
        path.relative_to(sweep).as_posix(): pl.read_parquet(path)["label"].to_list()
        for path in sweep.glob("*/predictions/*.parquet")
    }


def assert_same(sweep, undisturbed):
    assert scores(sweep) == scores(undisturbed)
    assert labels(sweep) == labels(undisturbed)
    assert not list(sweep.rglob("*.tmp"))
    for job in sweep.glob("*-unruly"):
        assert read_manifest(job)["status"] == "done"
        assert not (job / "UNFINISHED").exists()


def begin_or_resume(sweep):
    resumes = (sweep / "sweep.json").exists()
    return ["resume", sweep.name] if resumes else [*SWEEP, f"hydra.sweep.dir={sweep.name}"]


def kill_and_resume(start, sweep, variables, draw, moments):
    """Kill a sweep at random moments and resume it each time, until it ends; return the kills."""
    n_killed, done = 0, {}
    while n_killed < moments:
        command = start(*begin_or_resume(sweep), **variables)
        try:
            command.process.wait(timeout=draw.uniform(0.3, 2.5))
        except subprocess.TimeoutExpired:
            command.send(signal.SIGKILL)
            n_killed += 1
        else:
            assert command.process.returncode == 0, command.process.communicate()
            return n_killed
        for path in sweep.glob("*/manifest.json"):
            text = path.read_text()
            if json.loads(text)["status"] == "done":
                # What was done is not written again.
                assert done.setdefault(path, text) == text
        if not (sweep / "sweep.json").exists():
            # Killed before its jobs were written down: there is nothing to resume.
            shutil.rmtree(sweep, ignore_errors=True)
    return n_killed


def compare_with_undisturbed(segrun, start, unruly, tmp_path, moments):
    whole = segrun(*SWEEP, "hydra.sweep.dir=whole", cwd=tmp_path, **unruly)
    assert whole.returncode == 0, whole.stderr
    draw, n_sweeps = random.Random(5), 0
    while moments > 0:
        sweep = tmp_path / f"sweep{n_sweeps}"
        moments -= kill_and_resume(start, sweep, unruly, draw, moments)
        last = segrun(*begin_or_resume(sweep), cwd=tmp_path, **unruly)
        assert last.returncode == 0, last.stderr
        assert_same(sweep, tmp_path / "whole")
        n_sweeps += 1


@pytest.mark.slow
def test_a_sweep_killed_at_random_moments_comes_to_the_same(segrun, start, unruly, tmp_path):
    compare_with_undisturbed(segrun, start, unruly, tmp_path, moments=3)


def test_points_that_were_finished_are_not_fitted_again(segrun, start, unruly, tmp_path):
    job = ["-m", "algo=unruly", "algo.grid={k: [2, 3, 4, 5]}", "algo.params.seconds=0.5",
           "dataset.n_customers=150", "features=rfm", "hydra.sweep.dir=sweep"]  # fmt: skip
    command = start(*job, **unruly)
    finished = tmp_path / "sweep" / "0-unruly" / "points.json"
    command.wait_for(lambda: finished.exists() and len(json.loads(finished.read_text())) == 2)
    command.send(signal.SIGKILL)
    again = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert again.returncode == 0, again.stderr
    assert "0-unruly: was killed" in again.stderr
    assert "2 of 4 points were finished by an earlier attempt" in again.stderr
    fitted = (tmp_path / "fits.log").read_text().split()[1::2]
    assert fitted[:2] == ["2", "3"]
    # The one under way when the kill came may have begun twice, no other.
    assert fitted.count("2") == fitted.count("3") == fitted.count("5") == 1
    timings = read_csv(tmp_path / "sweep" / "0-unruly" / "timings.csv")
    fits = {row["point"]: row["attempt"] for row in timings if row["stage"] == "fit"}
    assert fits == {"k=2": "0", "k=3": "0", "k=4": "1", "k=5": "1"}


@pytest.fixture
def interrupted(start, tmp_path, unruly):
    """A sweep over a file, stopped by Ctrl-C after its first job; and what was said."""
    generate(100, seed=0)[0].write_csv(tmp_path / "shop.csv")
    command = start("-m", "algo=unruly", "dataset=online_retail", "dataset.path=shop.csv",
                    "features=rfm", "algo.params.seconds=0.3", "seed=1,2,3",
                    "hydra.sweep.dir=sweep", **unruly)  # fmt: skip
    command.wait_for((tmp_path / "sweep" / "0-unruly" / "manifest.json").exists)
    time.sleep(0.3)
    said = command.send(signal.SIGINT)
    assert command.process.returncode == 130, said
    return said


def test_ctrl_c_says_how_to_resume_and_resume_says_why(segrun, unruly, interrupted, tmp_path):
    assert "segrun resume sweep" in interrupted
    assert "Traceback" not in interrupted
    rows = read_csv(tmp_path / "sweep" / "jobs.csv")
    assert rows[0]["status"] == "done"
    assert rows[2]["status"] == "missing"
    first = (tmp_path / "sweep" / "0-unruly" / "manifest.json").read_text()
    again = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert again.returncode == 0, again.stderr
    assert "#2 2-unruly: was not begun" in again.stderr
    assert "#0 " not in again.stderr
    assert (tmp_path / "sweep" / "0-unruly" / "manifest.json").read_text() == first
    assert segrun("resume", "sweep", cwd=tmp_path, **unruly).returncode == 0


def test_changed_data_is_refused_with_both_fingerprints(segrun, unruly, interrupted, tmp_path):
    with (tmp_path / "shop.csv").open("a") as file:
        file.write("\n")
    before = json.loads((tmp_path / "sweep" / "jobs" / "2.json").read_text())["input_sha256"]
    refused = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert refused.returncode == 1
    assert "has changed" in refused.stderr
    assert before in refused.stderr
    assert "Traceback" not in refused.stderr
    (tmp_path / "shop.csv").unlink()
    assert "cannot be read" in segrun("resume", "sweep", cwd=tmp_path, **unruly).stderr


@pytest.mark.slow
def test_a_second_resume_is_refused_while_the_first_goes_on(segrun, start, unruly, tmp_path):
    job = ["-m", "algo=unruly", "algo.params.seconds=2", "dataset.n_customers=100",
           "features=rfm", "hydra.sweep.dir=sweep"]  # fmt: skip
    command = start(*job, **unruly)
    command.wait_for((tmp_path / "sweep" / "sweep.json").exists)
    second = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert second.returncode == 1
    assert "another process conducts the sweep" in second.stderr
    command.send(signal.SIGKILL)
    assert segrun("resume", "sweep", cwd=tmp_path, **unruly).returncode == 0


@pytest.mark.parametrize(
    ("asked", "said", "code"),
    [
        (["nowhere"], "nowhere is no directory", 1),
        (["empty"], "empty is no sweep", 1),
        (["run"], "one run, not a sweep", 1),
        ([], "segrun resume SWEEP", 2),
        (["sweep", "seed=3"], "only its launcher can change", 2),
        (["sweep", "hydra/launcher=proces"], "Did you mean 'process'", 2),
        (["sweep", "hydra.launcher.n_job=2"], "n_job", 2),
        (["sweep", "hydra.launcher.memory_limit=much"], "memory_limit=much", 2),
    ],
)
def test_what_is_no_sweep_or_no_setting_is_refused(segrun, tmp_path, asked, said, code):
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "UNFINISHED").touch()
    (tmp_path / "sweep").mkdir()
    header = {"kind": "grid", "command": [], "hydra": {"runtime": {"cwd": str(tmp_path)}},
              "launcher": {"_target_": "hydra_plugins.segrun_sweeps.ProcessLauncher"},
              "keep_going": True, "versions": {}}  # fmt: skip
    (tmp_path / "sweep" / "sweep.json").write_text(json.dumps(header))
    done = segrun("resume", *asked, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_sweep_killed_at_twenty_random_moments_comes_to_the_same(segrun, start, unruly, tmp_path):
    compare_with_undisturbed(segrun, start, unruly, tmp_path, moments=20)


def test_points_of_other_code_are_fitted_anew(segrun, start, unruly, tmp_path):
    job = ["-m", "algo=unruly", "algo.grid={k: [2, 3, 4, 5]}", "algo.params.seconds=0.5",
           "dataset.n_customers=150", "features=rfm", "hydra.sweep.dir=sweep"]  # fmt: skip
    command = start(*job, **unruly)
    finished = tmp_path / "sweep" / "0-unruly" / "points.json"
    command.wait_for(lambda: finished.exists() and len(json.loads(finished.read_text())) == 2)
    command.send(signal.SIGKILL)
    code = tmp_path / "site" / "unruly" / "__init__.py"
    code.write_text(code.read_text().replace("X[:, 0]", "X[:, 1]"))
    again = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert again.returncode == 0, again.stderr
    fitted = (tmp_path / "fits.log").read_text().split()[1::2]
    assert fitted.count("2") == 2
