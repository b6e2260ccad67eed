"""Which files a batch is made of: none of them is to count twice, by whatever folder or glob."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from segrun.data.address import is_address
from segrun.errors import DataError, KnownBatchError

_N_SHOWN = 3

_KNOWN = (
    "SELECT b.file, b.ingested, b.kind FROM contents c JOIN batches b ON b.number = c.batch "
    "WHERE c.fingerprint = ? ORDER BY b.number LIMIT 1"
)


def files_of(path: str, sha256: str) -> dict[str, str]:
    """Return the digest of each of several files by name; nothing of one file, or of a query.

    Raises
    ------
    DataError
        If they have changed since they were read, when `sha256` was that of all.
    """
    from segrun.data.datasets.source import find

    source = None if is_address(path) else find(path)
    if source is None or not source.parts:
        return {}
    if source.sha256 != sha256:
        raise DataError(
            f"dataset.path={path}: files were changed while they were read: ingest them once they "
            "are finished"
        )
    return {part.name: part.sha256 for part in source.parts}


def record(
    connection: sqlite3.Connection, batch: int, sha256: str | None, files: Mapping[str, str]
) -> None:
    """Store what a batch is made of; nothing of generated rows, which have no digest."""
    found = [] if sha256 is None else [sha256, *files.values()]
    connection.executemany("INSERT INTO contents VALUES (?, ?)", ((f, batch) for f in found))


def check_new(
    connection: sqlite3.Connection, path: str, sha256: str, files: Mapping[str, str]
) -> None:
    """Refuse files that were ingested before.

    Raises
    ------
    KnownBatchError
        If all of them were, saying when, and as what.
    DataError
        If some of them were.
    """
    whole = _known(connection, sha256)
    parts = {name: said for name, digest in files.items() if (said := _known(connection, digest))}
    if whole is None and len(parts) < max(1, len(files)):
        if not parts:
            return
        more = f" and {len(parts) - _N_SHOWN} more" if len(parts) > _N_SHOWN else ""
        shown = ", ".join(f"{n} ({s})" for n, s in list(parts.items())[:_N_SHOWN])
        raise DataError(
            f"{path}: of its {len(files)} files {len(parts)} have the content of what is in "
            f"already: {shown}{more}. Name the files one by one, with --skip-known; --force counts "
            "all once more"
        )
    raise KnownBatchError(
        f"{path} has the content of what is in already: {whole or next(iter(parts.values()))}. "
        "--force counts it once more, --skip-known passes over such files"
    )


def _known(connection: sqlite3.Connection, fingerprint: str) -> str | None:
    """Return as what a content was ingested, None where it is new."""
    known = connection.execute(_KNOWN, (fingerprint,)).fetchone()
    if known is None:
        return None
    file, when, kind = known
    return "the run's own input" if kind == "run" else f"ingested as {file} at {when}"
