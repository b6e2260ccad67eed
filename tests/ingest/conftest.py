"""States of small tables, and runs that batches are ingested into."""

import importlib.util
import sqlite3
from pathlib import Path

import pytest

from segrun.ingest.aggregates import Aggregates
from segrun.ingest.database import transaction


@pytest.fixture(scope="session")
def declaring():
    """Rows and declared columns in few words: see tests/features/declaring.py."""
    path = Path(__file__).parents[1] / "features" / "declaring.py"
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
