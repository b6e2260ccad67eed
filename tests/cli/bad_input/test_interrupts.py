"""Ctrl-C at every stage: exit code 130, no traceback, and nothing half-done looks whole."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from segrun.rundir.store import read_csv, read_manifest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one child on Windows")

SMALL = ["dataset.n_customers=300", "algo.params.tol=1e-4", "hydra.run.dir=run"]


@pytest.fixture
def start(tmp_path):
    """Start the real command in the test's folder; it ends with the test."""
    started = []

    def starting(*arguments, **options):
        started.append(Started(tmp_path, *arguments, **options))
        return started[-1]

    yield starting
    for command in started:
        command.process.kill()
        command.process.communicate()


class Started:
    """The real command under way in a folder."""

    def __init__(self, folder, *arguments, trace_imports=False):
        self.folder, self.cache = folder, folder / "cache"
        self.cache.mkdir(exist_ok=True)
        options = ["-X", "importtime"] if trace_imports else []
        self.process = subprocess.Popen(
            [sys.executable, *options, "-m", "segrun", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SEGRUN_CACHE": str(self.cache)},
        )  # fmt: skip

    def wait_for(self, reached):
        """Wait until `reached()` is true; the command must still be under way then."""
        deadline = time.monotonic() + 60
        while not reached():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def wait_for_import(self, module):
        for line in self.process.stderr:
            if re.search(rf"\| +{re.escape(module)}$", line.rstrip()):
                return
        pytest.fail(f"{module} was not imported")

    def logged(self, text):
        log = self.folder / "run" / "segrun.log"
        return log.exists() and text in log.read_text()

    def interrupt(self):
        """Send what Ctrl-C sends and return what stderr said until the end."""
        self.process.send_signal(signal.SIGINT)
        _, stderr = self.process.communicate(timeout=60)
        return "".join(x for x in stderr.splitlines(True) if not x.startswith("import time:"))


def reading(name):
    def reached(command):
        return any(command.cache.glob(f"reading-*/{name}"))

    return reached


def logged(text):
    return lambda command: command.logged(text)


def stored(pattern, n_files=1):
    return lambda command: len(list(command.folder.glob(f"run/{pattern}"))) >= n_files


# Each stage is known by what the one before it leaves.
STAGES_OF_THE_REAL_FILE = {
    "claim": stored("UNFINISHED"),
    "unpack": reading("unpacked.csv"),
    "features": logged("lines read ("),
    "augment": logged("of them clustered"),
}
STAGES = {
    "transform": stored("features_all.parquet"),
    "fit": stored("features.parquet"),
    "store of models": stored("models/*"),
    "evaluate": stored("predictions/*", 9),
    "tables": stored("scores.csv"),
}
#: The others stop before and after them.
_LONG = ("transform", "store of models")


def assert_interrupted(command, stderr, assert_clear, assert_nothing_whole):
    assert command.process.returncode == 130, stderr
    assert_clear(stderr)
    assert [x for x in stderr.splitlines() if x.startswith("segrun: ")] == [
        "segrun: interrupted: what was finished stays"
    ]
    assert_nothing_whole(command.folder / "run", cache=command.cache)


@pytest.mark.parametrize("stage", STAGES_OF_THE_REAL_FILE)
def test_ctrl_c_while_the_real_file_is_read_leaves_nothing_whole(
    tmp_path, start, online_retail, assert_clear, assert_nothing_whole, stage
):
    command = start("dataset=online_retail", f"dataset.path={online_retail}",
                      "hydra.run.dir=run", "augmentation=x10")  # fmt: skip
    command.wait_for(lambda: STAGES_OF_THE_REAL_FILE[stage](command))
    stderr = command.interrupt()
    assert_interrupted(command, stderr, assert_clear, assert_nothing_whole)
    # A directory that has just been claimed may have its marker and no more.
    ends = {"interrupted", "unfinished"} if stage == "claim" else {"interrupted"}
    assert read_manifest(tmp_path / "run")["status"] in ends


@pytest.mark.parametrize(
    "stage",
    [pytest.param(s, marks=pytest.mark.slow if s in _LONG else ()) for s in STAGES],
)
def test_ctrl_c_in_the_grid_leaves_what_was_finished_and_no_whole_run(
    tmp_path, start, assert_clear, assert_nothing_whole, stage
):
    command = start(*SMALL, "augmentation=x100")
    command.wait_for(lambda: STAGES[stage](command))
    stderr = command.interrupt()
    # Behind the last table, the run may be whole before the signal comes.
    if stage == "tables" and read_manifest(tmp_path / "run")["status"] == "done":
        assert command.process.returncode in (0, 130)
        assert_clear(stderr)
        return
    assert_interrupted(command, stderr, assert_clear, assert_nothing_whole)
    manifest = read_manifest(tmp_path / "run")
    assert manifest["status"] == "interrupted"
    files = {p.relative_to(tmp_path / "run").as_posix() for p in tmp_path.glob("run/*/*")}
    assert files <= set(manifest["files"])


@pytest.mark.parametrize("module", ["omegaconf", "hydra.main", "polars", "sklearn.base", "daal4py"])
def test_ctrl_c_while_segrun_starts_is_no_traceback(
    tmp_path, start, assert_clear, assert_nothing_whole, module
):
    if module == "daal4py":
        pytest.importorskip("daal4py", reason="scikit-learn-intelex has no wheel here")
    command = start(*SMALL, trace_imports=True)
    command.wait_for_import(module)
    stderr = command.interrupt()
    assert command.process.returncode in (130, -signal.SIGINT), stderr
    assert_clear(stderr)
    assert_nothing_whole(tmp_path, cache=command.cache)


def test_ctrl_c_between_the_jobs_of_a_sweep_keeps_the_first_and_its_table(
    tmp_path, start, assert_clear, assert_nothing_whole
):
    command = start("-m", *SMALL[:2], "hydra.sweep.dir=run", "augmentation=x10",
                      "algo.params.n_clusters=2", "seed=0,1,2,3,4,5,6,7,8,9")  # fmt: skip
    first = tmp_path / "run" / "0-kmeans"
    command.wait_for((first / "manifest.json").exists)
    stderr = command.interrupt()
    assert command.process.returncode == 130
    assert_clear(stderr)
    assert "segrun: interrupted" in stderr
    # Whole, but for a signal between its manifest and the end of the job.
    assert read_manifest(first)["status"] in ("done", "interrupted")
    begun = sorted(p.parent.name for p in tmp_path.glob("run/*/.hydra"))
    assert len(begun) < 10
    rows = read_csv(tmp_path / "run" / "scores.csv")
    # Those that were not begun are rows as well.
    ends = {row["job"]: row["status"] for row in rows}
    assert len(ends) == 10
    assert {job for job, status in ends.items() if status != "missing"} == set(begun)
    for job in begun:
        status = read_manifest(tmp_path / "run" / job)["status"]
        assert {row["status"] for row in rows if row["job"] == job} == {status}
        if status != "done":
            assert_nothing_whole(tmp_path / "run" / job, cache=command.cache)


def test_two_ctrl_c_at_once_are_no_traceback(tmp_path, start, assert_clear, assert_nothing_whole):
    command = start(*SMALL, "augmentation=x100")
    command.wait_for((tmp_path / "run" / "features.parquet").exists)
    command.process.send_signal(signal.SIGINT)
    stderr = command.interrupt()
    assert command.process.returncode in (130, -signal.SIGINT), stderr
    assert_clear(stderr)
    assert_nothing_whole(tmp_path / "run", cache=command.cache)
