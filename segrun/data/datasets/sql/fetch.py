"""Run the query of a dataset and leave its rows as files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from segrun.config import FileConfig
from segrun.data.datasets.source import FileKind, Source
from segrun.data.datasets.sql.address import Address, address_of, check, statement
from segrun.data.datasets.sql.result import Parts, Result
from segrun.errors import DataError
from segrun.formats import in_bytes
from segrun.progress import Flow

_Reader = Callable[[Address, str, Parts, int], Result]

log = logging.getLogger("segrun.data.datasets")


def fetch(config: FileConfig, folder: Path) -> Source:
    """Return the rows of a query as a source: Parquet files, one per batch."""
    check(config)
    assert config.query is not None
    address = address_of(config.path)
    started = time.monotonic()
    with Flow(f"reading {config.path}") as flow:
        parts = Parts(folder, flow)
        found = _reader(address)(address, statement(config.query), parts, config.batch_bytes)
    if not found.n_rows:
        raise DataError(f"dataset.query gives no rows: {config.query}")
    seconds = time.monotonic() - started
    size = in_bytes(found.n_bytes)
    log.info("%s: %d rows, %s in %.1f s", config.path, found.n_rows, size, seconds)
    files = tuple(
        Source(path, FileKind.parquet, path.stat().st_size, name=path.name) for path in parts.files
    )
    query = {"kind": address.kind, "query": config.query, **found.facts}
    return Source(folder, FileKind.query, found.n_bytes, files, result=found, query=query)


def _reader(address: Address) -> _Reader:
    # Late: a run needs one of them.
    from segrun.data.datasets.sql import duck, postgres, sqlite

    readers = {"postgresql": postgres.read, "sqlite": sqlite.read, "duckdb": duck.read}
    return readers[address.kind]
