"""A kill -9 at any moment leaves the state before a batch or after it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segrun.rundir.finished import open_run
from segrun.using.ingest import opened
from segrun.using.ingest.since import write_outputs

#: Goes on where the last one was killed; says when it begins.
SCRIPT = """
import sys
from pathlib import Path
from segrun.errors import KnownBatchError
from segrun.rundir.finished import open_run
from segrun.using.ingest import opened
with opened(open_run(Path(sys.argv[1]))) as ledger:
    print("ready", flush=True)
    for file in sys.argv[2:]:
        try:
            ledger.ingest(file)
        except KnownBatchError:
            pass
"""


def killed_until_done(run, files, n_kills, longest_seconds, seed=0):
    """Ingest files by processes that are killed; return how many kills came in time."""
    rng, n_in_time = random.Random(seed), 0
    for kill in range(n_kills + 1):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(run), *files], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with process:
            assert process.stdout.readline() == b"ready\n"
            if kill < n_kills:
                time.sleep(rng.uniform(0, longest_seconds))
                n_in_time += process.poll() is None
                os.kill(process.pid, signal.SIGKILL)
        assert kill < n_kills or process.returncode == 0
    return n_in_time


def features_of(path):
    with opened(open_run(path)) as ledger:
        return Path(write_outputs(ledger)[0]).read_bytes()


def split(path, folder, n):
    """Write a CSV file as n files."""
    head, *lines = Path(path).read_text(encoding="utf-8").splitlines()
    size = -(-len(lines) // n)
    files = []
    for i in range(0, len(lines), size):
        file = folder / f"{i:06d}.csv"
        file.write_text("\n".join([head, *lines[i : i + size]]) + "\n", encoding="utf-8")
        files.append(str(file))
    return files


def test_kills_lose_and_double_nothing(run, whole_run, batches, tmp_path):
    files = [file for i, path in enumerate(batches) for file in split(path, made(tmp_path, i), 6)]
    with opened(run):
        pass
    assert killed_until_done(run.path, files, n_kills=2, longest_seconds=0.5) > 0
    assert features_of(run.path) == (whole_run.path / "features_all.parquet").read_bytes()


def made(folder, number):
    found = folder / str(number)
    found.mkdir()
    return found


@pytest.mark.slow
def test_fifty_kills_in_the_days_of_the_real_file(online_retail, run_of, tmp_path):
    days = days_of(online_retail, made(tmp_path, 0))
    assert len(days) == 305
    values = ("dataset=online_retail", "dataset.date_order=month_first", "algo=kmeans",
              "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4")  # fmt: skip
    first = run_of(tmp_path / "first", *values, f"dataset.path={days[0]}")
    whole = run_of(tmp_path / "whole", *values, f"dataset.path={online_retail}")
    once = tmp_path / "once"
    shutil.copytree(first.path, once)
    wanted = (whole.path / "features_all.parquet").read_bytes()
    with opened(open_run(once)) as ledger:
        for day in days[1:]:
            ledger.ingest(day)
        lines = ledger.aggregates.totals["n_lines"]
        segments = ledger.segments()
    assert lines == 541_909
    assert features_of(once) == wanted
    # From before the first state is made.
    n_in_time = killed_until_done(first.path, days[1:], n_kills=50, longest_seconds=0.6)
    assert n_in_time >= 40
    assert features_of(first.path) == wanted
    with opened(open_run(first.path)) as ledger:
        assert ledger.segments() == segments


def days_of(path, folder):
    """The lines of the UCI file as one file per day, in order."""
    import gzip
    from collections import defaultdict
    from datetime import datetime

    import polars as pl

    frame = pl.read_csv(gzip.decompress(Path(path).read_bytes()), infer_schema=False,
                        encoding="latin-1")  # fmt: skip
    found = defaultdict(list)
    for (day,), lines in frame.group_by(
        pl.col("InvoiceDate").str.split(" ").list.first(), maintain_order=True
    ):
        found[datetime.strptime(day, "%m/%d/%Y").date()].append(lines)
    files = []
    for day, parts in sorted(found.items()):
        file = folder / f"{day}.csv"
        pl.concat(parts).write_csv(file)
        files.append(str(file))
    return files
