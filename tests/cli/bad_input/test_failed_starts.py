"""A failed start is in nobody's way: the corrected command takes the same directory."""

import logging
import sys

import pytest

from segrun.cli.compose import launch
from segrun.rundir.store import read_manifest

pytestmark = pytest.mark.heavy

SMALL = ["features=rfm", "backend=sklearn", "dataset.n_customers=80", "algo.params.tol=1e-4",
         "algo.params.n_clusters=3", "preflight.action=none"]  # fmt: skip


@pytest.fixture
def launched(tmp_path, monkeypatch, capsys):
    """Launch in this process, in the test's folder: launched(*arguments) is code and stderr."""
    monkeypatch.chdir(tmp_path)
    root, before = logging.getLogger(), logging.getLogger().handlers[:]

    def run(*arguments):
        code = launch(list(arguments))
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()
        return code, capsys.readouterr().err

    return run


def test_launch_leaves_the_callers_arguments_as_they_are(launched, monkeypatch):
    own = ["program", "--of", "somebody"]
    monkeypatch.setattr(sys, "argv", own)
    assert launched("seed=abc")[0] == 2
    assert sys.argv is own


@pytest.mark.parametrize(
    "wrong", ["seed=-1", "algo.params.n_clusters=abc", "transform.log1p=[foo]", "transform.pca=50"]
)
def test_a_refused_configuration_leaves_no_directory(launched, tmp_path, wrong):
    assert launched(*SMALL, "hydra.run.dir=new/run", wrong)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_others_stays(launched, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "notes.txt").write_text("mine")
    assert launched(*SMALL, "hydra.run.dir=new/run", "seed=-1")[0] == 2
    assert launched(*SMALL, "hydra.run.dir=new", "seed=-1")[0] == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "notes.txt"]


def test_the_corrected_command_takes_the_directory_of_a_run_that_failed(launched, tmp_path):
    # Not rows enough for the clusters: every point fails, after the features were written.
    code, _ = launched(*SMALL, "hydra.run.dir=run", "algo.params.n_clusters=500")
    assert (code, read_manifest(tmp_path / "run")["status"]) == (1, "failed")
    assert launched("dataset=online_retail", "dataset.path=typo.csv", "hydra.run.dir=run")[0] == 1
    assert not (tmp_path / "run" / "features.parquet").exists()
    code, told = launched(*SMALL, "hydra.run.dir=run")
    assert code == 0, told
    assert read_manifest(tmp_path / "run")["status"] == "done"
    # A run that came to something is not overwritten.
    code, told = launched(*SMALL, "hydra.run.dir=run", "seed=1")
    assert (code, "in use" in told) == (1, True)


def test_what_others_put_into_the_directory_of_a_failed_run_is_not_touched(launched, tmp_path):
    assert launched("dataset=online_retail", "dataset.path=typo.csv", "hydra.run.dir=run")[0] == 1
    (tmp_path / "run" / "notes.txt").write_text("mine")
    code, told = launched(*SMALL, "hydra.run.dir=run")
    assert (code, "notes.txt" in told) == (1, True)
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_the_corrected_sweep_takes_the_directory_of_one_of_which_all_failed(launched, tmp_path):
    sweep = ["-m", "hydra.sweep.dir=sweep", "hydra/launcher=basic"]
    code, _ = launched(*sweep, "dataset=online_retail", "dataset.path=typo.csv", "seed=1,2")
    assert code == 1
    assert read_manifest(tmp_path / "sweep" / "1-kmeans")["status"] == "failed"
    code, told = launched(*sweep, *SMALL, "seed=7")
    assert code == 0, told
    assert read_manifest(tmp_path / "sweep" / "0-kmeans")["status"] == "done"
    assert not (tmp_path / "sweep" / "1-kmeans").exists()
    code, told = launched(*sweep, *SMALL, "seed=8")
    assert (code, "holds a sweep already" in told) == (1, True)


def test_a_refused_sweep_leaves_no_directory(launched, tmp_path):
    assert launched("-m", "hydra.sweep.dir=new/sweep", *SMALL, "seed=-1,0")[0] == 2
    assert list(tmp_path.iterdir()) == []
