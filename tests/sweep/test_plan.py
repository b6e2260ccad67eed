"""The plan tells every job before any begins; frozen jobs are deaf to later edits."""

import time

import pytest

from segrun.rundir.store import read_csv, read_manifest

SMALL = ["dataset.n_customers=80", "features=rfm", "algo.params.tol=1e-4",
         "algo.params.n_clusters=3"]  # fmt: skip


def rows(text):
    return {line.split()[0]: line for line in text.splitlines() if "-kmeans" in line}


def test_the_plan_tells_done_cached_and_missing_and_starts_nothing(segrun, tmp_path):
    where = "hydra.sweep.dir=outputs/default/a"
    assert segrun("-m", *SMALL, "seed=1,2", where, cwd=tmp_path).returncode == 0
    before = sorted(tmp_path.rglob("*"))

    same = segrun("plan", *SMALL, "seed=1,2", where, cwd=tmp_path)
    assert same.returncode == 0, same.stderr
    assert [line.split()[-1] for line in rows(same.stdout).values()] == ["done", "done"]
    assert "seed=1" in rows(same.stdout)["0-kmeans"]
    # What all jobs have in common is no difference.
    assert "n_clusters" not in same.stdout

    other = segrun("plan", "--estimate", *SMALL, "seed=2,3", cwd=tmp_path)
    first, second = rows(other.stdout).values()
    assert " cached " in first
    assert " missing " in second
    assert "2 jobs: 1 cached, 1 missing" in other.stdout
    assert "1 finished" in second or "2 finished" in second
    assert "s one after the other, memory at most" in other.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_what_nobody_can_tell_of_memory_is_said_so(segrun, tmp_path):
    # Nobody has counted neighbours: that takes the data.
    many = segrun("plan", "--estimate", "algo=dbscan", "augmentation=rows_5m", cwd=tmp_path)
    assert "5,000,000 rows, neighbours not counted" in many.stdout
    assert "time: no finished run to judge by, memory not known" in many.stdout


def test_a_content_key_changes_with_what_has_an_effect_and_with_nothing_else(segrun, tmp_path):
    where = "hydra.sweep.dir=outputs/default/a"
    assert segrun("-m", *SMALL, "seed=1", where, cwd=tmp_path).returncode == 0

    def status(*changes):
        plan = segrun("plan", *SMALL, "seed=1", *changes, cwd=tmp_path)
        (line,) = rows(plan.stdout).values()
        return line.split()[-1]

    assert status("sweep.keep_going=false") == "cached"
    assert status("backend=sklearn") == "missing"
    assert status("transform=robust") == "missing"
    assert status("evaluation.max_noise_share=0.4") == "missing"


def test_reuse_takes_finished_jobs_over(segrun, tmp_path):
    first = segrun("-m", *SMALL, "seed=1,2", "hydra.sweep.dir=outputs/x/a", cwd=tmp_path)
    assert first.returncode == 0
    done = segrun("-m", *SMALL, "seed=2,3", "sweep.reuse=true", "hydra.sweep.dir=outputs/x/b",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "#0 0-kmeans: the same as" in done.stderr
    a, b = tmp_path / "outputs" / "x" / "a", tmp_path / "outputs" / "x" / "b"
    assert read_manifest(b / "0-kmeans") == read_manifest(a / "1-kmeans")
    table = read_csv(b / "scores.csv")
    assert [row["status"] for row in table] == ["done", "done"]


def test_without_finished_runs_there_is_no_estimate(segrun, tmp_path):
    plan = segrun("plan", "--estimate", *SMALL, "seed=1,2", cwd=tmp_path)
    assert "no finished run" in plan.stdout


def test_a_wrong_value_in_one_job_is_told_before_any_begins(segrun, tmp_path):
    done = segrun("-m", *SMALL, "seed=1,-1", "hydra.sweep.dir=sweep", cwd=tmp_path)
    assert done.returncode == 2
    assert "job 1 (" in done.stderr
    assert "seed must be from 0" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "sweep" / "0-kmeans").exists()


def test_two_hundred_jobs_are_planned(segrun, tmp_path):
    plan = segrun("plan", "algo=kmeans,dbscan,birch", "seed=range(36)", "transform=standard,pca",
                  cwd=tmp_path)  # fmt: skip
    assert "216 jobs: 216 missing" in plan.stdout


def test_a_yaml_that_is_edited_during_a_sweep_changes_no_queued_job(
    start, unruly, tmp_path, segrun
):
    own = tmp_path / "conf" / "features"
    own.mkdir(parents=True)
    text = "defaults: [rfm]\namount: total\n"
    (own / "mine.yaml").write_text(text)
    sweep = ["-m", "algo=unruly", "features=mine", "dataset.n_customers=100", "seed=1,2,3",
             "algo.params.seconds=0.4"]  # fmt: skip
    undisturbed = segrun(*sweep, "hydra.sweep.dir=whole", cwd=tmp_path, **unruly)
    assert undisturbed.returncode == 0, undisturbed.stderr
    command = start(*sweep, "hydra.sweep.dir=sweep", **unruly)
    command.wait_for((tmp_path / "sweep" / "0-unruly" / "UNFINISHED").exists)
    (own / "mine.yaml").write_text("defaults: [rfm]\namount: [this is broken\n")
    time.sleep(0.1)
    assert command.process.wait(60) == 0, command.process.communicate()
    for job in ("0-unruly", "1-unruly", "2-unruly"):
        there = [(tmp_path / name / job / "features.parquet").read_bytes()
                 for name in ("whole", "sweep")]  # fmt: skip
        assert there[0] == there[1]


@pytest.mark.parametrize("file", ["no.yaml", "list.yaml", "broken.yaml"])
def test_a_file_that_holds_no_experiment_is_refused(segrun, tmp_path, file):
    (tmp_path / "list.yaml").write_text("- a\n")
    (tmp_path / "broken.yaml").write_text("a: [\n")
    done = segrun(file, cwd=tmp_path)
    assert done.returncode == 2
    assert file in done.stderr
    assert "Traceback" not in done.stderr
