"""What kills one job costs that job alone, and resume runs just what was lost."""

from collections import Counter

from segrun.rundir.store import read_csv, read_manifest

TABLE = ["algo=unruly", "dataset.n_customers=200", "features=rfm", "hydra.sweep.dir=sweep"]
#: Eight that are well and one of each kind that is not.
WAYS = ["well1", "raises", "well2", "killed", "well3", "well4", "eats", "well5", "hangs",
        "well6", "well7", "well8"]  # fmt: skip
ENDS = {"raises": "failed", "killed": "crashed", "eats": "oom", "hangs": "timeout"}


def statuses(sweep):
    return {
        row["overrides"].split("way=")[1].split()[0]: row for row in read_csv(sweep / "jobs.csv")
    }


def test_of_twelve_jobs_four_misbehave_and_resume_runs_those_four(segrun, unruly, tmp_path):
    """One raises, one is killed, one takes too much memory, one hangs; eight are done."""
    done = segrun(
        "-m", *TABLE, f"algo.params.way={','.join(WAYS)}", "hydra.launcher.memory_limit=900MB",
        "hydra.launcher.time_limit_seconds=6", cwd=tmp_path, **unruly,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "To run what is left: segrun resume sweep" in done.stderr
    rows = statuses(tmp_path / "sweep")
    assert {way: row["status"] for way, row in rows.items()} == {
        way: ENDS.get(way, "done") for way in WAYS
    }
    for way, end in ENDS.items():
        directory = tmp_path / "sweep" / rows[way]["job"]
        assert read_manifest(directory)["status"] == end
        reason = rows[way]["reason"]
        assert reason
        assert reason in (directory / "segrun.log").read_text().replace("\n", " ")
    table = read_csv(tmp_path / "sweep" / "scores.csv")
    assert Counter(row["status"] for row in table)["done"] == 16

    (tmp_path / "cured").touch()
    (tmp_path / "fits.log").unlink()
    again = segrun("resume", "sweep", cwd=tmp_path, **unruly)
    assert again.returncode == 0, again.stderr
    assert set(statuses(tmp_path / "sweep")) == set(WAYS)
    assert {row["status"] for row in statuses(tmp_path / "sweep").values()} == {"done"}
    fitted = (tmp_path / "fits.log").read_text().splitlines()
    assert sorted(fitted) == sorted(f"{way} {k}" for way in ENDS for k in (2, 3))
    for way in ENDS:
        assert f"{rows[way]['job']}: " in again.stderr


def test_fail_fast_begins_no_further_job(segrun, unruly, tmp_path):
    done = segrun("-m", *TABLE, "algo.params.way=well1,ends,well2", "sweep.keep_going=false",
                  cwd=tmp_path, **unruly)  # fmt: skip
    assert done.returncode == 1
    rows = statuses(tmp_path / "sweep")
    assert {way: row["status"] for way, row in rows.items()} == {
        "well1": "done", "ends": "crashed", "well2": "missing",
    }  # fmt: skip
