"""The run directory: claimed once, written atomically, manifest last; and read again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segrun import interrupt
from segrun.errors import StoreError
from segrun.rundir.atomic import is_temporary, write_atomically, write_text
from segrun.rundir.claim import INGESTED, LOCK, MANIFEST, UNFINISHED, claim, reopen
from segrun.rundir.customers import Customers
from segrun.rundir.formulas import defused, restored
from segrun.rundir.sparse import SparseColumns, write_matrix

if TYPE_CHECKING:
    from filelock import FileLock


POINTS = "points.json"
#: The columns of sparse features.
ITEMS = "items.parquet"

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

        All others stay as the run vouched for them: what somebody else has changed or put there
        is not taken over.
        """
        files = {n: digest for n, digest in manifest["files"].items() if n not in self._changed}
        written = sorted(name for name in self._changed if (self.path / name).is_file())
        files |= {name: sha256(self.path / name) for name in written}
        content = {**manifest, "amended": _now(), "files": dict(sorted(files.items()))}
        write_text(self.path / MANIFEST, json.dumps(content, indent=2, default=str) + "\n")

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
        """Return what an earlier attempt noted of its points, by slug; empty without one."""
        found = read_json(self.path / POINTS)
        return {slug: note for slug, note in found.items() if isinstance(note, dict)}

    def write_points(self, notes: Mapping[str, Mapping[str, Any]]) -> None:
        """Write ``points.json``: key, iterations and inertia of every point that is finished."""
        self.write_json(POINTS, notes)

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
        import polars as pl

        columns: dict[str, Any] = {customers.id_column: customers.written_ids}
        if customers.replica is not None:
            columns["replica"] = customers.replica
        if isinstance(customers.columns, SparseColumns):
            self._write_sparse(name, customers.columns)
            # The matrix has the rest.
            customers = replace(customers, columns={})
        for column, values in customers.columns.items():
            columns[column] = _column(values)
        frame = pl.DataFrame(columns)
        self._write(name, lambda path: _write_parquet(path, frame))

    def write_columns(self, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Write columns as Parquet: numbers as they are, objects as texts."""
        import polars as pl

        frame = pl.DataFrame({column: _column(values) for column, values in columns.items()})
        self._write(name, lambda path: _write_parquet(path, frame))

    def _write_sparse(self, name: str, columns: SparseColumns) -> None:
        known = columns.catalogue
        self.write_columns(ITEMS, {f.name: getattr(known, f.name) for f in fields(known)})
        self._write(matrix_name(name), lambda path: write_matrix(path, columns.matrix))

    def write_labels(self, point: str, customers: Customers, labels: NDArray[np.int64]) -> None:
        """Write ``predictions/<point>.parquet``: id and label, rows as in features.parquet."""
        import polars as pl

        frame = pl.DataFrame({customers.id_column: customers.written_ids, "label": labels})
        self._write(labels_name(point), lambda path: _write_parquet(path, frame))

    def write_model(self, point: str, model: Any) -> None:
        """Write ``models/<point>.joblib``."""
        self._write(model_name(point), lambda path: _dump(model, path))

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
        interrupt.check()
        self._changed.add(name)
        write_text(self.path / name, text)

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file of bytes, such as a picture."""
        self._write(name, lambda path: path.write_bytes(content))

    def keep(self, name: str, file: Path) -> None:
        """Copy a file that goes when its dataset is closed."""
        self._write(name, lambda path: shutil.copyfile(file, path))

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a mapping as JSON."""
        self.write_text(name, json.dumps(content, indent=2, default=str) + "\n")

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
        content = {
            "status": status,
            "reason": reason,
            "started": self.started,
            "finished": _now(),
            **facts,
            "files": self.hashes(),
        }
        text = json.dumps(content, indent=2, default=str) + "\n"
        # Not by _write: an interrupted run has a manifest, too.
        write_text(self.path / MANIFEST, text)
        (self.path / UNFINISHED).unlink(missing_ok=True)
        if self._lock is not None:
            (self.path / LOCK).unlink(missing_ok=True)
            self._lock.release()

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        interrupt.check()
        self._changed.add(name)
        write_atomically(self.path / name, write)


def _dump(model: Any, path: Path) -> None:
    import joblib

    try:
        joblib.dump(model, path)
    except RecursionError:
        # A chain of objects, such as the leaves of Birch's tree, is as deep as it is long. joblib
        # pickles in Python, whose calls take no stack of the system's.
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(1_000_000)
        try:
            joblib.dump(model, path)
        finally:
            sys.setrecursionlimit(before)


def write_object(found: Any, path: Path) -> None:
    """Write any object so that `read_mapped` reads its arrays without a copy."""
    import joblib

    joblib.dump(found, path)


def read_mapped(path: Path) -> Any:
    """Return what `write_object` wrote; its arrays are read from the file as they are used."""
    import joblib

    return joblib.load(path, mmap_mode="r")


def model_name(point: str) -> str:
    """Return the path of a point's model within the run directory."""
    return f"models/{point}.joblib"


def labels_name(point: str) -> str:
    """Return the path of a point's labels within the run directory."""
    return f"predictions/{point}.parquet"


def matrix_name(customers: str) -> str:
    """Return the name of the matrix that stands beside a table of customers, if it is sparse."""
    return customers.replace(".parquet", ".npz")


def read_labels(path: Path, point: str) -> NDArray[np.int64]:
    """Return the labels of a point that a run directory holds, rows as in features.parquet.

    Raises
    ------
    StoreError
        If they are not there, or cannot be read.
    """
    import polars as pl

    file = path / labels_name(point)
    try:
        return pl.read_parquet(file)["label"].to_numpy()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{file} cannot be read: {error}") from error


def read_parquet(path: Path) -> dict[str, NDArray[Any]]:
    """Return the columns of a Parquet file in order, missing texts as None.

    Raises
    ------
    StoreError
        If it cannot be read.
    """
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    return {name: frame[name].to_numpy() for name in frame.columns}


def read_model(path: Path) -> Any:
    """Return what `RunDirectory.write_model` wrote.

    Raises
    ------
    StoreError
        If it cannot be loaded: another version of scikit-learn, a plugin that is not there.
    """
    import warnings

    import joblib
    from sklearn.exceptions import InconsistentVersionWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            return joblib.load(path)
    except InconsistentVersionWarning as error:
        raise StoreError(
            f"{path} was written by scikit-learn {error.original_sklearn_version}, this is "
            f"{error.current_sklearn_version}, which may predict otherwise: install that version"
        ) from error
    except Exception as error:
        raise StoreError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows to CSV; columns are the union over all rows, in order of appearance.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; `read_csv`
    takes it away.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read what `write_csv` wrote, every cell as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: restored(cell or "") for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def _column(values: NDArray[Any]) -> Any:
    import polars as pl

    # As a list: of an array polars guesses the type by the first value, which may be missing.
    return pl.Series(values.tolist(), dtype=pl.String) if values.dtype == object else values


def _write_parquet(path: Path, frame: Any) -> None:
    # By way of memory: polars' own threads write on after a Ctrl-C, and on a full disk it raises
    # no OSError.
    content = io.BytesIO()
    frame.write_parquet(content)
    path.write_bytes(content.getbuffer())


def _cell(value: object) -> object:
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    # repr gives the shortest text that reads back as the same float.
    return repr(float(value)) if isinstance(value, float | np.floating) else value


def sha256(path: Path) -> str:
    """Return the hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a run's manifest; an unfinished run has the status ``unfinished``.

    Raises
    ------
    StoreError
        If `path` is no run directory, or its manifest is none.
    """
    manifest = path / MANIFEST
    if manifest.is_file():
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"{manifest} cannot be read: {error}") from error
        if not isinstance(content, dict) or "status" not in content:
            raise StoreError(f"{manifest} is no manifest of a run: it has no status")
        return content
    if (path / UNFINISHED).exists():
        return {"status": "unfinished", "reason": "no manifest: the run is going on or was killed"}
    raise StoreError(f"{path} is no run directory: it has neither {MANIFEST} nor {UNFINISHED}")


def read_json(path: Path) -> dict[str, Any]:
    """Return a mapping from a JSON file, empty where there is none."""
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def record_end(
    path: Path,
    ended: tuple[str, str],
    facts: Mapping[str, Any],
    records: Mapping[str, str],
    *,
    again: bool = False,
) -> None:
    """Leave a manifest where a run could not write its own: it never began, or was killed.

    Parameters
    ----------
    path : Path
        The run directory.
    ended : tuple of (str, str)
        Status and reason.
    facts : mapping
        What the run was about.
    records : mapping of str to str
        Texts to keep in it, by file name.
    again : bool, default=False
        Whether the directory is the run's own already.
    """
    run = RunDirectory(path, again=again)
    for name, text in records.items():
        run.write_text(name, text)
    run.finish(*ended, facts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
