"""States of small tables, and runs that batches are ingested into."""

import importlib.util
import shutil
import sqlite3
from pathlib import Path

import pytest

from segrun.data.datasets.synthetic_retail import generate
from segrun.rundir.finished import open_run
from segrun.using.ingest.aggregates import Aggregates
from segrun.using.ingest.database import transaction


@pytest.fixture(scope="session")
def declaring():
    """Rows and declared columns in few words: see tests/features/declaring.py."""
    path = Path(__file__).parents[2] / "features" / "declaring.py"
    spec = importlib.util.spec_from_file_location("declaring", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def state_of(batches, config, fitted=None):
    """Merge batches of rows, the first of which a state begins with."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    aggregates = Aggregates(connection, config, fitted)
    first, *others = batches
    with transaction(connection):
        aggregates.begin(first)
    for rows in others:
        part = aggregates.part(rows)
        with transaction(connection):
            aggregates.touch(part)
            aggregates.merge(part)
    return aggregates


@pytest.fixture(scope="session")
def merged():
    """Merge batches: merged([rows, rows], config) is a state in memory."""
    return state_of


def bits(customers):
    """What must be the same of customers, bit for bit."""
    columns = {n: (str(v.dtype), v.tobytes()) for n, v in customers.columns.items()}
    return customers.ids.tolist(), columns


@pytest.fixture(scope="session")
def same():
    """Compare customers bit for bit."""

    def compared(one, other):
        (ids, columns), (other_ids, others) = bits(one), bits(other)
        assert ids == other_ids
        assert list(columns) == list(others)
        differing = [n for n in columns if columns[n] != others[n]]
        assert not differing, [(n, one.columns[n], other.columns[n]) for n in differing]

    return compared


@pytest.fixture(scope="session")
def sales(tmp_path_factory):
    """Sales as CSV files: "whole", "first" (their first half) and batches of the rest."""
    folder = tmp_path_factory.mktemp("sales")
    lines = generate(90, 0)[0].sort("InvoiceDate", maintain_order=True)
    half, n_batches = len(lines) // 2, 6
    size = -(-(len(lines) - half) // n_batches)
    pieces = {"whole": lines, "first": lines[:half]}
    pieces |= {f"batch{i}": lines[half + i * size :][:size] for i in range(n_batches)}
    for name, piece in pieces.items():
        piece.write_csv(folder / f"{name}.csv", datetime_format="%m/%d/%Y %H:%M")
    return {name: str(folder / f"{name}.csv") for name in pieces}


@pytest.fixture(scope="session")
def batches(sales):
    """The files behind the first half, in order of their dates."""
    return [path for name, path in sales.items() if name.startswith("batch")]


def run_on(run_of, folder, path, *overrides):
    return run_of(
        folder, "dataset=online_retail", f"dataset.path={path}", "dataset.date_order=month_first",
        "algo=kmeans", "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4", *overrides,
    )  # fmt: skip


@pytest.fixture(scope="session")
def first_run(run_of, sales, tmp_path_factory):
    """A run on the first half, with segments."""
    folder = tmp_path_factory.mktemp("first") / "run"
    return run_on(run_of, folder, sales["first"], "segments=full")


@pytest.fixture(scope="session")
def whole_run(run_of, sales, tmp_path_factory):
    """A run on all sales at once."""
    return run_on(run_of, tmp_path_factory.mktemp("whole") / "run", sales["whole"])


@pytest.fixture
def run(first_run, tmp_path):
    """A copy of the run on the first half, to ingest into."""
    shutil.copytree(first_run.path, tmp_path / "run")
    return open_run(tmp_path / "run")
