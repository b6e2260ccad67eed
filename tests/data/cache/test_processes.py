"""Two processes that want one table, a stop in the middle, a disk that is full."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [
    sys.executable, "-m", "segrun", "experiment=dataflow_tiers", "dataset=records",
    "dataset.path=sales.csv", "dataset.id=User",
    "+dataset.columns={Quantity: number, UnitPrice: number}", "report=none", "segments=none",
    "backend=sklearn", "cache.min_bytes=0",
]  # fmt: skip
LINE = "u{},{},{}.25,2024-01-01\n"


def write(path, n_rows):
    lines = "".join(LINE.format(i % 997, 1 + i % 7, i % 13) for i in range(100_000))
    with path.open("w") as file:
        file.write("User,Quantity,UnitPrice,Date\n")
        for _ in range(n_rows // 100_000):
            file.write(lines)


def start(folder, name):
    cache = {"SEGRUN_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        [*COMMAND, f"hydra.run.dir={name}"], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env={**os.environ, **cache},
    )  # fmt: skip


@pytest.mark.slow
def test_of_two_processes_one_reads(tmp_path):
    write(tmp_path / "sales.csv", 8_000_000)
    runs = [start(tmp_path, name) for name in "ab"]
    said = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert sum("lines read" in text for text in said) == 1
    assert sum("lines from the cache" in text for text in said) == 1
    assert sum("another process reads" in text for text in said) == 1
    tables = [(tmp_path / name / "features_all.parquet").read_bytes() for name in "ab"]
    assert tables[0] == tables[1]
    assert len(list((tmp_path / "cache" / "tables").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stop_while_it_is_read_leaves_nothing_that_looks_whole(tmp_path, stop):
    write(tmp_path / "sales.csv", 8_000_000)
    run = start(tmp_path, "a")
    tables = tmp_path / "cache" / "tables"
    while not list(tables.glob("making-*/rows.parquet")):
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(stop)
    said = run.communicate()[1]
    assert run.returncode == (130 if stop is signal.SIGINT else -9), said
    assert not list(tables.glob("*/entry.json"))
    if stop is signal.SIGINT:
        assert not list(tables.iterdir())
    again = start(tmp_path, "b")
    assert re.search("8000000 lines read", again.communicate()[1])
    assert again.returncode == 0
    assert [path.name.startswith("making") for path in tables.iterdir()] == [False]
