"""Features and segments of everybody as files, in the form that a run writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segrun.rundir.claim import INGESTED
from segrun.rundir.customers import Customers
from segrun.rundir.directory import RunDirectory
from segrun.using.ingest.ledger import Ledger
from segrun.using.ingest.since import names_of


def write_outputs(ledger: Ledger) -> Sequence[Path]:
    """Write ``features_all.parquet`` and the segments beside the state; return the files.

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    out = RunDirectory.amending(ledger.run.path / INGESTED)
    customers = ledger.customers()
    out.write_customers("features_all.parquet", customers)
    rows = _segments(ledger, customers)
    out.write_table("segments.csv", rows)
    return [out.path / "features_all.parquet", out.path / "segments.csv"]


def _segments(ledger: Ledger, customers: Customers) -> list[dict[str, object]]:
    found, names = ledger.segments(), names_of(ledger)
    key = "customer" if customers.id_column in ("segment", "name") else customers.id_column
    # Both are ordered by id.
    written = zip(customers.written_ids, found.values(), strict=True)
    return [
        {key: who, "segment": number, "name": None if number is None else names[number] or None}
        for who, number in written
    ]
