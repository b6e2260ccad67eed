import hashlib
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest

from segrun.errors import StoreError
from segrun.rundir.customers import Customers, IdType
from segrun.rundir.directory import RunDirectory
from segrun.rundir.finished import open_run, runs_of


def test_who_adds_to_a_run_vouches_for_nothing_else(tmp_path):
    run = RunDirectory(tmp_path)
    for name in ("kept.txt", "changed.txt", "gone.txt", "renewed.txt", "dropped.txt"):
        run.write_text(name, "x")
    run.finish("done", "", {"segrun": version("segrun")})
    (tmp_path / "changed.txt").write_text("by somebody else")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "stray.txt").write_text("put there")
    with open_run(tmp_path).amend() as out:
        out.write_bytes("new.bin", b"y")
        out.write_text("renewed.txt", "z")
        out.remove("dropped.txt")
    now = open_run(tmp_path)
    old = hashlib.sha256(b"x").hexdigest()
    assert now.files == {
        "kept.txt": old,
        "changed.txt": old,
        "gone.txt": old,
        "renewed.txt": hashlib.sha256(b"z").hexdigest(),
        "new.bin": hashlib.sha256(b"y").hexdigest(),
    }
    for name, said in (("changed.txt", "not the file"), ("gone.txt", "is missing")):
        with pytest.raises(StoreError, match=said):
            now.file(name)


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\x00"])
def test_a_manifest_that_is_none_is_named(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        open_run(tmp_path)


def finished(folder, status="done", **facts):
    customers = Customers(
        "Id", np.array(["7", "8", "9"], dtype=object), {"a": np.array([1, 2, 3])},
        np.array([0, 0, 1]), IdType("Int64"),
    )  # fmt: skip
    run = RunDirectory(folder)
    run.write_text("experiment.yaml", "store: {models: none}")
    for name in ("features.parquet", "features_all.parquet"):
        run.write_customers(name, customers)
    run.write_labels("k=2", customers, np.array([0, 1, -1]))
    rows = [{"point": "k=2", "status": "done"}, {"point": "k=3", "status": "failed"}]
    run.write_table("scores.csv", rows)
    run.write_table("timings.csv", [{"stage": "load", "s": 1}, {"stage": "fit", "s": 2}])
    run.write_json("environment.json", {"python": "3"})
    run.write_model("k=3", 1)
    run.finish(status, "why", {"segrun": version("segrun"), "selected": "k=2", **facts})
    return folder


def test_a_finished_run_gives_what_it_wrote(tmp_path):
    run = open_run(finished(tmp_path))
    assert run.experiment == {"store": {"models": "none"}}
    assert (run.selected, run.points, list(run.done)) == ("k=2", ["k=2"], ["k=2"])
    assert [row["point"] for row in run.scores] == ["k=2", "k=3"]
    assert run.timings == [{"stage": "load", "s": "1"}, {"stage": "fit", "s": "2"}]
    assert run.fits == run.timings[1:]
    assert run.environment == {"python": "3"}
    assert run.labels("k=2").tolist() == [0, 1, -1]
    for found in (run.customers, run.all_customers):
        assert (found.id_column, found.ids.tolist()) == ("Id", ["7", "8", "9"])
        assert (found.feature_names, found.replica.tolist()) == (["a"], [0, 0, 1])
        assert found.written_ids.to_list() == [7, 8, 9]
    assert run.ids(np.array([7, 8])).tolist() == ["7", "8"]
    assert [run.has_model(point) for point in ("k=2", "k=3")] == [False, True]
    with pytest.raises(StoreError, match=r"no model of k=2: .* store\.models=none"):
        run.model("k=2")


def test_what_a_run_has_not_is_empty_and_what_it_has_is_read(tmp_path):
    run = open_run(finished(tmp_path, selected=None))
    assert run.selected is None
    assert (run.table("no.csv"), run.json("no.json"), run.columns("no.parquet")) == ([], {}, {})
    assert run.table("timings.csv") == run.timings
    assert run.json("environment.json") == run.environment
    assert run.columns("features.parquet")["a"].tolist() == [1, 2, 3]
    assert (run.has("scores.csv"), run.has("no.csv")) == (True, False)
    with pytest.raises(StoreError, match=r"has no no\.csv"):
        run.file("no.csv")


def test_files_that_were_changed_are_named_and_refused_unless_asked_otherwise(tmp_path):
    run = open_run(finished(tmp_path))
    assert run.changed("") == []
    for name in ("scores.csv", "timings.csv"):
        (tmp_path / name).write_text("point,status\nk=9,done\n")
    (tmp_path / "environment.json").unlink()
    assert sorted(run.changed("s", "e")) == ["scores.csv"]
    assert sorted(run.changed("")) == ["scores.csv", "timings.csv"]
    with pytest.raises(StoreError, match="not the file"):
        _ = run.scores
    assert replace(run, verify=False).points == ["k=9"]


def test_customers_that_are_released_are_read_again(tmp_path):
    run = open_run(finished(tmp_path))
    before = run.customers, run.all_customers
    assert (run.customers, run.all_customers) == before
    run.release()
    assert run.customers is not before[0]
    assert run.all_customers is not before[1]


@pytest.mark.parametrize(
    ("status", "said"), [("done", ""), ("incomplete", ""), ("cached", ""),
                         ("failed", "is failed .*why. Run it again"), ("interrupted", "why")],
)  # fmt: skip
def test_only_a_run_that_came_to_labels_is_opened(tmp_path, status, said):
    finished(tmp_path, status)
    if not said:
        assert open_run(tmp_path).manifest["status"] == status
        return
    with pytest.raises(StoreError, match=said):
        open_run(tmp_path)


def test_no_run_an_unfinished_one_a_sweep_or_one_of_another_version_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no directory"):
        open_run(tmp_path / "none")
    RunDirectory(tmp_path / "open")
    with pytest.raises(StoreError, match=r"UNFINISHED.*segrun resume"):
        open_run(tmp_path / "open")
    for name in ("sweep/10", "sweep/9", "sweep/x/2"):
        finished(tmp_path / name)
    runs = runs_of(tmp_path / "sweep")
    assert [run.relative_to(tmp_path / "sweep").as_posix() for run in runs] == ["9", "10", "x/2"]
    assert runs_of(tmp_path / "sweep" / "9") == [tmp_path / "sweep" / "9"]
    assert runs_of(tmp_path / "open") == [tmp_path / "open"]
    with pytest.raises(StoreError, match="a sweep of 3 runs"):
        open_run(tmp_path / "sweep")
    major, minor, *_ = version("segrun").split(".")
    finished(tmp_path / "patch", segrun=f"{major}.{minor}.999")
    assert open_run(tmp_path / "patch").points == ["k=2"]
    # Runs of before the first release have the same files.
    finished(tmp_path / "early", segrun="0.1.0")
    assert open_run(tmp_path / "early").points == ["k=2"]
    for name, other in (("a", f"{major}.{int(minor) + 90}.0"), ("b", f"{int(major) + 1}.{minor}")):
        finished(tmp_path / name, segrun=other)
        with pytest.raises(StoreError, match="was written by segrun"):
            open_run(tmp_path / name)


def test_who_amends_a_run_leaves_no_lock(tmp_path):
    run = open_run(finished(tmp_path))
    with pytest.raises(ZeroDivisionError), run.amend():
        _ = 1 / 0
    assert not (tmp_path / ".lock").exists()
    with run.amend() as out:
        out.write_text("new.txt", "x")
    assert "new.txt" in open_run(tmp_path).files
    assert not (tmp_path / ".lock").exists()
