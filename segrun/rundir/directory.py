"""A run directory that is being written: claimed once, written atomically, manifest last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segrun import interrupt
from segrun.rundir.atomic import is_temporary, write_atomically, write_text
from segrun.rundir.claim import INGESTED, LOCK, MANIFEST, UNFINISHED, claim, reopen
from segrun.rundir.customers import Customers
from segrun.rundir.models import write_model
from segrun.rundir.sparse import SparseColumns, write_matrix
from segrun.rundir.store import (
    ITEMS,
    labels_name,
    matrix_name,
    model_name,
    read_csv,
    read_json,
    read_labels,
    sha256,
    write_csv,
    write_parquet,
)

if TYPE_CHECKING:
    from filelock import FileLock

POINTS = "points.json"

#: Not in the manifest: the log still grows when the manifest is written.
_UNHASHED = {MANIFEST, UNFINISHED, LOCK, "segrun.log"}


class RunDirectory:
    """A run directory that is being written.

    Every file is written under a temporary name and renamed, so that a reader never sees
    half a file. The marker ``UNFINISHED`` stands from the first moment until the manifest,
    which is written last.

    Parameters
    ----------
    path : Path
        The directory; made where it does not exist.
    again : bool, default=False
        Whether it may hold what an earlier attempt at the same run has left, to go on with.

    Raises
    ------
    ClaimError
        If the directory cannot be made, is another run's, or another process is writing to it.
    """

    def __init__(self, path: Path, *, again: bool = False) -> None:
        self.path = path
        self.started = _now()
        self._lock: FileLock | None = None
        self._changed: set[str] = set()
        if again:
            self._lock = reopen(path, self.started)
        else:
            claim(path, self.started)

    @classmethod
    def amending(cls, path: Path) -> RunDirectory:
        """Return a finished directory that the caller has locked, to add files to."""
        out = cls.__new__(cls)
        out.path, out.started, out._lock, out._changed = path, _now(), None, set()
        return out

    def amend(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest again, with the files that were written and removed since.

        All others stay as the run vouched for them, whatever somebody else has changed.
        """
        files = {n: digest for n, digest in manifest["files"].items() if n not in self._changed}
        written = [name for name in self._changed if (self.path / name).is_file()]
        files |= {name: sha256(self.path / name) for name in written}
        self._write_manifest({**manifest, "amended": _now(), "files": dict(sorted(files.items()))})

    def hashes(self) -> dict[str, str]:
        """Return the sha256 of every file that a manifest vouches for, by name."""
        return {
            file.relative_to(self.path).as_posix(): sha256(file)
            for file in sorted(self.path.rglob("*"))
            if file.is_file()
            and file.name not in _UNHASHED
            and not is_temporary(file)
            and self.path / INGESTED not in file.parents
        }

    def points(self) -> dict[str, dict[str, Any]]:
        """Return what an earlier attempt noted of its points, by slug."""
        found = read_json(self.path / POINTS)
        return {slug: note for slug, note in found.items() if isinstance(note, dict)}

    def table(self, name: str) -> list[dict[str, str]]:
        """Return a table that an earlier attempt has written, empty without one."""
        path = self.path / name
        return read_csv(path) if path.is_file() else []

    def has_model(self, point: str) -> bool:
        """Tell whether there is a model of a point."""
        return (self.path / model_name(point)).is_file()

    def labels(self, point: str) -> NDArray[np.int64] | None:
        """Return the labels that an earlier attempt has stored of a point, None without any."""
        path = self.path / labels_name(point)
        return read_labels(self.path, point) if path.is_file() else None

    def write_customers(self, name: str, customers: Customers) -> None:
        """Write a customer table as Parquet: id, replica where augmented, columns in order.

        Sparse columns stand beside it: the matrix as .npz, its items in ``items.parquet``.
        """
        columns: dict[str, Any] = {customers.id_column: customers.written_ids}
        if customers.replica is not None:
            columns["replica"] = customers.replica
        if isinstance(customers.columns, SparseColumns):
            matrix, items = customers.columns.matrix, customers.columns.catalogue
            self.write_columns(ITEMS, {f.name: getattr(items, f.name) for f in fields(items)})
            self._write(matrix_name(name), lambda path: write_matrix(path, matrix))
        else:
            columns |= customers.columns
        self.write_columns(name, columns)

    def write_columns(self, name: str, columns: Mapping[str, Any]) -> None:
        """Write columns as Parquet: numbers as they are, objects as texts."""
        self._write(name, lambda path: write_parquet(path, columns))

    def write_labels(self, point: str, customers: Customers, labels: NDArray[np.int64]) -> None:
        """Write ``predictions/<point>.parquet``: id and label, rows as in features.parquet."""
        columns = {customers.id_column: customers.written_ids, "label": labels}
        self.write_columns(labels_name(point), columns)

    def write_model(self, point: str, model: Any) -> None:
        """Write ``models/<point>.joblib``."""
        self._write(model_name(point), lambda path: write_model(path, model))

    def remove_models(self, points: Iterable[str]) -> None:
        """Remove the models of these points, where there are any."""
        for point in points:
            self.remove(model_name(point))

    def remove(self, name: str) -> None:
        """Remove a file, where there is one."""
        self._changed.add(name)
        (self.path / name).unlink(missing_ok=True)

    def write_table(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Write rows as CSV; None is an empty cell, a truth value true or false."""
        self._write(name, lambda path: write_csv(path, rows))

    def write_text(self, name: str, text: str) -> None:
        """Write a text file."""
        self._write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file of bytes, such as a picture."""
        self._write(name, lambda path: path.write_bytes(content))

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a mapping as JSON."""
        self.write_text(name, _json(content))

    def keep(self, name: str, file: Path) -> None:
        """Copy a file that goes when its dataset is closed."""
        self._write(name, lambda path: shutil.copyfile(file, path))

    def finish(self, status: str, reason: str, facts: Mapping[str, Any]) -> None:
        """Write the manifest, last, and take the marker away.

        Parameters
        ----------
        status : {"done", "incomplete", "failed", "interrupted"}
            done: every point; incomplete: some points failed; failed: the run did; interrupted:
            somebody stopped it.
        reason : str
            What went wrong, empty if nothing did.
        facts : mapping
            What else to record: fingerprint of the input, points, selected point.
        """
        told = {"status": status, "reason": reason, "started": self.started, "finished": _now()}
        self._write_manifest({**told, **facts, "files": self.hashes()})
        (self.path / UNFINISHED).unlink(missing_ok=True)
        if self._lock is not None:
            (self.path / LOCK).unlink(missing_ok=True)
            self._lock.release()

    def _write_manifest(self, content: Mapping[str, Any]) -> None:
        # Not by _write: an interrupted run has a manifest, too.
        write_text(self.path / MANIFEST, _json(content))

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        interrupt.check()
        self._changed.add(name)
        write_atomically(self.path / name, write)


def record_end(
    path: Path,
    ended: tuple[str, str],
    facts: Mapping[str, Any],
    records: Mapping[str, str],
    *,
    again: bool = False,
) -> None:
    """Leave manifest and records of a run that could not write its own: killed, or never begun."""
    run = RunDirectory(path, again=again)
    for name, text in records.items():
        run.write_text(name, text)
    run.finish(*ended, facts)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, default=str) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
