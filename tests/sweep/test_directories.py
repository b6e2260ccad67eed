"""Whose directories are: what is there already is not overwritten, what is lost is noticed."""

import json
import shutil

import pytest

from segrun.data.datasets.synthetic_retail import generate
from segrun.rundir.store import read_csv, read_manifest

SMALL = ["dataset.n_customers=80", "features=rfm", "algo.params.tol=1e-4",
         "algo.params.n_clusters=3"]  # fmt: skip


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_finished_run_where_a_job_should_be_stays_as_it_is(segrun, tmp_path):
    assert segrun(*SMALL, "hydra.run.dir=sweep/0-kmeans", cwd=tmp_path).returncode == 0
    before = content(tmp_path)
    done = segrun("-m", *SMALL, "seed=5", "hydra.sweep.dir=sweep", cwd=tmp_path)
    assert done.returncode == 1
    assert "0-kmeans is in use" in done.stderr
    assert {path: text for path, text in content(tmp_path).items() if path in before} == before


@pytest.mark.parametrize("subdir", ["../elsewhere", "."])
def test_a_folder_outside_of_the_sweep_is_refused(segrun, tmp_path, subdir):
    done = segrun("-m", *SMALL, f"hydra.sweep.subdir={subdir}", "hydra.sweep.dir=sweep",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert "not below the sweep directory" in done.stderr


@pytest.mark.slow
def test_jobs_of_a_sweep_that_was_killed_early_are_not_taken_over(segrun, tmp_path):
    assert segrun("-m", *SMALL, "seed=1,2", "hydra.sweep.dir=a", cwd=tmp_path).returncode == 0
    shutil.copytree(tmp_path / "a" / "jobs", tmp_path / "b" / "jobs")
    assert segrun("-m", *SMALL, "seed=3", "hydra.sweep.dir=b", cwd=tmp_path).returncode == 0
    again = segrun("resume", "b", cwd=tmp_path)
    assert "nothing is left to run" in again.stderr
    (tmp_path / "a" / "jobs" / "1.json").unlink()
    lost = segrun("resume", "a", cwd=tmp_path)
    assert lost.returncode == 1
    assert "1 of 2 jobs" in lost.stderr


@pytest.mark.slow
def test_nested_folders_keep_their_names_apart(segrun, unruly, tmp_path):
    arguments = ["-m", "algo=unruly", "algo.params.way=well,raises", "seed=1,2", "features=rfm",
                 "dataset.n_customers=80", "hydra.sweep.subdir=${algo.params.way}/${seed}",
                 "hydra.sweep.dir=outputs/x/s"]  # fmt: skip
    done = segrun(*arguments, cwd=tmp_path, **unruly)
    assert done.returncode == 1
    table = tmp_path / "outputs" / "x" / "s" / "jobs.csv"
    first = {row["job"]: row for row in read_csv(table)}
    assert list(first) == ["well/1", "well/2", "raises/1", "raises/2"]
    (tmp_path / "cured").touch()
    assert segrun("resume", "outputs/x/s", cwd=tmp_path, **unruly).returncode == 0
    second = {row["job"]: row for row in read_csv(table)}
    for job in ("well/1", "well/2"):
        assert second[job] == first[job]
    assert {second[job]["attempts"] for job in ("raises/1", "raises/2")} == {"2"}
    plan = segrun("plan", *arguments[1:6], "hydra.sweep.dir=outputs/x/other", cwd=tmp_path,
                  **unruly)  # fmt: skip
    assert "4 jobs: 4 cached" in plan.stdout


@pytest.mark.slow
def test_printed_commands_can_be_pasted(segrun, unruly, tmp_path):
    (tmp_path / "my work").mkdir()
    (tmp_path / "other").mkdir()
    done = segrun("-m", "algo=unruly", "algo.params.way=ends", "features=rfm",
                  "dataset.n_customers=80", "hydra.sweep.dir='a=b c'", cwd=tmp_path / "my work",
                  **unruly)  # fmt: skip
    assert "segrun resume 'a=b c'" in done.stderr
    again = segrun("resume", "a=b c", cwd=tmp_path / "my work", **unruly)
    assert again.returncode == 1
    assert "was not begun" not in again.stderr
    away = segrun("resume", "../my work/a=b c", cwd=tmp_path / "other", **unruly)
    assert "segrun resume '../my work/a=b c'" in away.stderr


@pytest.mark.slow
def test_an_estimate_is_of_the_same_data(segrun, tmp_path):
    where = "hydra.sweep.dir=outputs/default/a"
    assert segrun("-m", *SMALL, where, cwd=tmp_path).returncode == 0
    same = segrun("plan", "--estimate", *SMALL, "seed=1", cwd=tmp_path)
    assert "1 finished with the same data" in same.stdout
    other = segrun("plan", "--estimate", *SMALL[1:], "dataset.n_customers=90000", cwd=tmp_path)
    assert "finished with the same data" not in other.stdout


@pytest.fixture
def studied(segrun, tmp_path):
    """A study over a file with three trials; and its arguments."""
    generate(100, seed=0)[0].write_csv(tmp_path / "shop.csv")
    arguments = ["-m", "hydra/sweeper=optuna", "dataset=online_retail", "dataset.path=shop.csv",
                 "features=rfm", "algo=kmeans",
                 "hydra.sweeper.storage=sqlite:///study.db"]  # fmt: skip
    done = segrun(*arguments, "hydra.sweeper.n_trials=3", "hydra.sweep.dir=a", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return arguments


@pytest.mark.slow
def test_a_study_over_other_data_or_settings_is_refused(segrun, studied, tmp_path):
    for change in ("features.amount=total", "transform=robust", "seed=1"):
        other = segrun(*studied, change, "hydra.sweeper.n_trials=6", "hydra.sweep.dir=b",
                       cwd=tmp_path)  # fmt: skip
        assert other.returncode == 2, change
        assert "hydra.sweeper.study_name" in other.stderr
    assert not (tmp_path / "b").exists()
    joins = segrun(*studied, "hydra.sweeper.n_trials=4", "hydra.sweep.dir=c", cwd=tmp_path)
    assert joins.returncode == 0, joins.stderr
    assert (tmp_path / "c" / "best.yaml").exists()


def test_a_study_whose_data_changed_is_not_resumed(segrun, studied, tmp_path):
    header = json.loads((tmp_path / "a" / "sweep.json").read_text())
    header["study"]["sweeper"]["n_trials"] = 6
    (tmp_path / "a" / "sweep.json").write_text(json.dumps(header))
    with (tmp_path / "shop.csv").open("a") as file:
        file.write("\n")
    refused = segrun("resume", "a", cwd=tmp_path)
    assert refused.returncode == 1
    assert "has changed since" in refused.stderr
    assert len(list((tmp_path / "a").glob("*-kmeans"))) == 3


def test_a_best_file_runs_beside_an_experiment_of_its_name(segrun, studied, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    shutil.copy(tmp_path / "a" / "best.yaml", tmp_path / "conf" / "experiment" / "best.yaml")
    results = []
    for name, asked in (("file", "a/best.yaml"), ("named", "experiment=best")):
        done = segrun(asked, f"hydra.run.dir={name}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        results.append(read_csv(tmp_path / name / "scores.csv"))
    assert results[0] == results[1]
    assert read_manifest(tmp_path / "file")["key"] == read_manifest(tmp_path / "named")["key"]


def test_a_wrong_fixed_value_is_told_before_the_first_trial(segrun, tmp_path):
    done = segrun("-m", "hydra/sweeper=optuna", "timing.repeats=0", "hydra.sweep.dir=s",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert "timing.repeats must be at least 1" in done.stderr
    assert not (tmp_path / "s").exists()
