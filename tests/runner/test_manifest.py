"""What the end of a run leaves and says, however it came."""

import logging
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from segrun import interrupt
from segrun.rundir.directory import RunDirectory
from segrun.rundir.store import read_csv, read_manifest
from segrun.rundir.timings import Timings
from segrun.runner.evaluated import Evaluated
from segrun.runner.fit import Outcome
from segrun.runner.manifest import RunResult, about, finish, listening, record_failure
from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.flight import Flight


@pytest.fixture(scope="module")
def experiment(composed):
    return composed("name=mine", "algo=dbscan", "augmentation=x10", "backend=sklearn")


def evaluated(*statuses, costs=()):
    outcomes = [Outcome(SimpleNamespace(slug=f"k={n}"), s, "why") for n, s in enumerate(statuses)]
    return Evaluated(outcomes, {}, "k=0", Flight(costs, 0, 0), {"rows": 7, "key": "abc"})


@pytest.mark.parametrize(
    ("status", "undescribed", "code"),
    [("done", "", 0), ("done", "no room", 1), ("incomplete", "", 1), ("failed", "", 1)],
)
def test_the_exit_code_is_0_where_all_is_there(status, undescribed, code):
    assert RunResult(Path(), status, "", None, {}, undescribed).exit_code == code


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("statuses", "status", "reason"),
    [
        (["done", "done"], "done", ""),
        (["done", "failed", "failed"], "incomplete", ""),
        (["failed", "failed"], "failed", "no point came to labels; k=0: why"),
    ],
)
def test_a_run_that_ends_says_what_became_of_its_points(
    experiment, tmp_path, statuses, status, reason
):
    timings = Timings()
    with timings.stage("load"):
        pass
    result = finish(experiment, RunDirectory(tmp_path), timings, evaluated(*statuses), "no rows")
    points = {name: statuses.count(name) for name in set(statuses)}
    assert result == RunResult(tmp_path, status, reason, "k=0", points, "no rows")
    manifest = read_manifest(tmp_path)
    assert (manifest["status"], manifest["reason"]) == (status, reason)
    assert (manifest["points"], manifest["rows"], manifest["key"]) == (points, 7, "abc")
    assert [row["stage"] for row in read_csv(tmp_path / "timings.csv")] == ["load"]
    assert list(manifest["files"]) == ["timings.csv"]


def test_the_manifest_names_the_experiment_and_the_version(experiment):
    found = about(experiment)
    assert found["segrun"] == version("segrun")
    assert len(found["code"]) == 12
    assert found["experiment"] == {
        "name": "mine", "dataset": "synthetic_retail", "features": "rfm_calendar",
        "augmentation": "x10", "algo": "dbscan", "engine": "polars", "backend": "sklearn",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "asked", "status", "reason"),
    [
        (ValueError("too few"), False, "failed", "ValueError: too few"),
        (KeyboardInterrupt(), False, "interrupted", "stopped by the user"),
        # A library that made another error of Ctrl-C.
        (ValueError("too few"), True, "interrupted", "stopped by the user"),
    ],
)
def test_a_run_that_does_not_end_says_why(
    experiment, tmp_path, monkeypatch, error, asked, status, reason
):
    out = RunDirectory(tmp_path)
    monkeypatch.setattr(interrupt._state, "asked", asked)
    record_failure(experiment, out, error, ["a warning"])
    manifest = read_manifest(tmp_path)
    assert (manifest["status"], manifest["reason"]) == (status, reason)
    assert manifest["warnings"] == ["a warning"]
    assert manifest["experiment"]["name"] == "mine"


def test_a_manifest_that_cannot_be_written_leaves_the_marker(experiment, tmp_path, caplog):
    out = RunDirectory(tmp_path)
    (tmp_path / "manifest.json").mkdir()
    record_failure(experiment, out, ValueError(), [])
    assert "the manifest could not be written" in caplog.text
    assert (tmp_path / "UNFINISHED").is_file()


def test_warnings_of_segrun_are_heard_once_each_while_it_lasts():
    with listening() as heard:
        for text in ("one", "two", "one"):
            logging.getLogger("segrun.anything").warning(text)
        logging.getLogger("segrun").error("an error")
        logging.getLogger("segrun").info("a word")
        logging.getLogger("other").warning("of others")
    logging.getLogger("segrun").warning("too late")
    assert heard == ["one", "two"]


def test_what_was_estimated_is_written_again_with_what_it_took(experiment, tmp_path):
    timings = Timings()
    with timings.stage("load") as timing:
        timing.wall_seconds = 3.5
    shown = evaluated("done", costs=[Cost("load", 10, "by hand", 20)])
    finish(experiment, RunDirectory(tmp_path), timings, shown, "")
    (row,) = read_csv(tmp_path / "preflight.csv")
    assert (row["wall_seconds"], row["basis"]) == ("3.5", "by hand")
