"""Directories that cannot be made or fill up: one message, and nothing that looks whole."""

import gzip
import os
import subprocess
import sys

import pytest

from segrun.rundir.store import read_csv, read_manifest, sha256

SMALL = ["dataset.n_customers=300", "algo.params.tol=1e-4"]


@pytest.fixture
def mounted(tmp_path):
    """Mount a small file system in memory: mounted(name, size) returns its folder."""
    folders = []

    def mount(name, size):
        folder = tmp_path / name
        folder.mkdir()
        if sys.platform != "linux" or os.geteuid() != 0:
            pytest.skip("only root on Linux may mount a file system of its own")
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mount is not permitted here: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "arguments", [["hydra.run.dir=file/run"], ["-m", "hydra.sweep.dir=file/sweep", "seed=0,1"]]
)
def test_a_directory_below_a_file_is_refused(
    segrun, tmp_path, assert_refused, assert_nothing_whole, arguments
):
    (tmp_path / "file").write_text("")
    done = segrun(*arguments, *SMALL, cwd=tmp_path)
    assert_refused(done, "file/", "Choose another", "hydra.sweep.dir=DIR", code=1)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


# Full before the first file, within the tables, and within the models.
@pytest.mark.parametrize("size", ["12k", "60k", "150k"])
def test_a_full_disk_is_told_and_the_directory_does_not_look_whole(
    segrun, tmp_path, mounted, assert_refused, assert_nothing_whole, size
):
    disk = mounted("disk", size)
    done = segrun(*SMALL, f"hydra.run.dir={disk}/run", cwd=tmp_path)
    assert_refused(done, "cannot write", str(disk), "No space left on device", code=1)
    assert_nothing_whole(disk)
    again = segrun(*SMALL, f"hydra.run.dir={disk}/run", cwd=tmp_path)
    assert_refused(again, code=1)


def test_a_full_disk_under_a_sweep_is_told_for_its_jobs(
    segrun, tmp_path, mounted, assert_clear, assert_nothing_whole
):
    disk = mounted("disk", "200k")
    done = segrun("-m", "seed=0,1", *SMALL, f"hydra.sweep.dir={disk}/sweep", cwd=tmp_path)
    assert done.returncode == 1
    assert_clear(done.stderr)
    assert "No space left on device" in done.stderr
    table = disk / "sweep" / "scores.csv"
    # It may find room where the files of a job did not: then it is whole.
    assert not table.exists() or {r["job"] for r in read_csv(table)} == {"0-kmeans", "1-kmeans"}
    jobs = [disk / "sweep" / f"{number}-kmeans" for number in (0, 1)]
    # The first one may have had room enough.
    whole = [job for job in jobs if (job / "manifest.json").exists()
             and read_manifest(job)["status"] == "done"]  # fmt: skip
    for job in whole:
        files = read_manifest(job)["files"]
        assert all(sha256(job / name) == digest for name, digest in files.items())
    for job in set(jobs) - set(whole):
        assert_nothing_whole(job)
    assert whole in ([], jobs[:1])


def test_a_full_cache_is_told_and_left_empty(
    segrun, tmp_path, mounted, assert_refused, assert_nothing_whole
):
    disk = mounted("disk", "100k")
    (tmp_path / "lines.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    done = segrun("dataset=online_retail", "dataset.path=lines.csv.gz", "hydra.run.dir=run",
                  cwd=tmp_path, SEGRUN_CACHE=str(disk))  # fmt: skip
    assert_refused(done, str(disk), "No space left on device", "SEGRUN_CACHE=DIR", code=1)
    assert_nothing_whole(tmp_path / "run", cache=disk)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    segrun, tmp_path, assert_refused, assert_nothing_whole
):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFOs here")
    os.mkfifo(tmp_path / "pipe")
    done = segrun("dataset=online_retail", "dataset.path=pipe", cwd=tmp_path)
    assert_refused(done, "dataset.path=pipe is not a regular file", "CSV", code=1)
    assert_nothing_whole(tmp_path / "outputs")


def test_a_folder_without_data_is_refused(segrun, tmp_path, assert_refused, assert_nothing_whole):
    # The run's own directory below it is none.
    done = segrun("dataset=online_retail", "dataset.path=.", cwd=tmp_path)
    assert_refused(done, "dataset.path=. is a folder without", "CSV, Parquet or Excel", code=1)
    assert_nothing_whole(tmp_path)
