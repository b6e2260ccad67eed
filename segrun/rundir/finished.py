"""A finished run, as everything that comes after it reads it: verified, then trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import read_yaml
from segrun.errors import StoreError
from segrun.rundir.claim import LOCK, MANIFEST, UNFINISHED, locked
from segrun.rundir.customers import Customers, IdType, stored_type
from segrun.rundir.directory import RunDirectory
from segrun.rundir.models import bare, read_model
from segrun.rundir.sparse import Items, SparseColumns, read_matrix
from segrun.rundir.store import (
    ITEMS,
    labels_name,
    matrix_name,
    model_name,
    read_csv,
    read_json,
    read_labels,
    read_manifest,
    read_parquet,
    sha256,
)

#: Statuses of runs that have come to labels.
_USABLE = ("done", "incomplete", "cached")


@dataclass(frozen=True)
class FinishedRun:
    """A run directory whose manifest stands; a file that is read is the one it names.

    Attributes
    ----------
    path : Path
        The run directory.
    manifest : mapping
        What it says of itself.
    verify : bool, default=True
        Whether a file that was changed since is refused; else it is read as it stands.
    """

    path: Path
    manifest: Mapping[str, Any]
    verify: bool = True

    @cached_property
    def experiment(self) -> dict[str, Any]:
        """The experiment as plain values, as it ran."""
        found: dict[str, Any] = read_yaml(self.file("experiment.yaml"))
        return found

    @property
    def selected(self) -> str | None:
        """Slug of the point that the run selected, None where none was good enough."""
        found = self.manifest.get("selected")
        return None if found is None else str(found)

    @cached_property
    def scores(self) -> list[dict[str, str]]:
        """Rows of ``scores.csv``, every cell as text."""
        return read_csv(self.file("scores.csv"))

    @cached_property
    def done(self) -> dict[str, dict[str, str]]:
        """Rows of ``scores.csv`` of the points that came to labels, by slug."""
        return {row["point"]: row for row in self.scores if row["status"] == "done"}

    @property
    def points(self) -> list[str]:
        """Slugs of the points that came to labels, in order."""
        return list(self.done)

    @cached_property
    def timings(self) -> list[dict[str, str]]:
        """Rows of ``timings.csv``, every cell as text."""
        return read_csv(self.file("timings.csv"))

    @property
    def fits(self) -> list[dict[str, str]]:
        """Rows of ``timings.csv`` that are fits."""
        return [row for row in self.timings if row["stage"] == "fit"]

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What the run ran on: ``environment.json``, empty where it has none."""
        return self.json("environment.json")

    @cached_property
    def customers(self) -> Customers:
        """The rows that were clustered, features in the units of the input."""
        return self._customers("features.parquet")

    @cached_property
    def all_customers(self) -> Customers:
        """Every customer, before the outlier rule and before augmentation."""
        return self._customers("features_all.parquet")

    def labels(self, point: str) -> NDArray[np.int64]:
        """Return the labels of a point, rows as in `customers`, noise -1."""
        self.file(labels_name(point))
        return read_labels(self.path, point)

    def has_model(self, point: str) -> bool:
        """Tell whether the model of a point was kept."""
        return model_name(point) in self.files

    def model(self, point: str) -> Any:
        """Return the fitted scikit-learn pipeline of a point, which takes arrays: see `bare`.

        Raises
        ------
        StoreError
            If it was not kept, was changed since, or cannot be loaded here.
        """
        if not self.has_model(point):
            raise StoreError(
                f"{self.path} has no model of {point}: it was run with store.models="
                f"{self.experiment['store']['models']}"
            )
        return bare(read_model(self.file(model_name(point))))

    @property
    def files(self) -> Mapping[str, str]:
        """sha256 by name of every file that the manifest vouches for."""
        found: Mapping[str, str] = self.manifest.get("files", {})
        return found

    def has(self, name: str) -> bool:
        """Tell whether the manifest names a file."""
        return name in self.files

    def table(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file, empty where the run has none of that name."""
        return read_csv(self.file(name)) if self.has(name) else []

    def json(self, name: str) -> dict[str, Any]:
        """Return the mapping in a JSON file, empty where the run has none of that name."""
        return read_json(self.file(name)) if self.has(name) else {}

    def columns(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the columns of a Parquet file, empty where the run has none of that name."""
        return read_parquet(self.file(name)) if self.has(name) else {}

    def changed(self, *beginnings: str) -> list[str]:
        """Return files with such names that are there, but no longer as the run wrote them."""
        paths = {n: self.path / n for n in self.files if n.startswith(beginnings)}
        return [n for n, path in paths.items() if path.is_file() and sha256(path) != self.files[n]]

    def file(self, name: str) -> Path:
        """Return the path of a file of the run, once its content is what the manifest says.

        Raises
        ------
        StoreError
            If the file is missing, or is another than the one that the run wrote.
        """
        path = self.path / name
        if name not in self.files:
            raise StoreError(f"{self.path} has no {name}")
        if not path.is_file():
            raise StoreError(f"{path} is missing, though {MANIFEST} names it")
        if self.verify and sha256(path) != self.files[name]:
            raise StoreError(
                f"{path} is not the file that the run wrote: its sha256 differs from that in "
                f"{MANIFEST}. Put the file back, or run again: segrun reproduce {self.path}"
            )
        return path

    def release(self) -> None:
        """Let the tables of customers go; whoever asks for them reads them again."""
        for name in ("customers", "all_customers"):
            vars(self).pop(name, None)

    @contextmanager
    def amend(self) -> Iterator[RunDirectory]:
        """Give the directory to be added to; the manifest then names what is new or changed.

        Raises
        ------
        ClaimError
            If another process is writing to it.
        """
        lock = locked(self.path, 5, f"another process is writing to {self.path}")
        try:
            out = RunDirectory.amending(self.path)
            yield out
            out.amend(read_manifest(self.path))
        finally:
            (self.path / LOCK).unlink(missing_ok=True)
            lock.release()

    def _customers(self, name: str) -> Customers:
        frame = read_parquet(self.file(name))
        id_column, *columns = frame
        replica = frame.pop("replica", None)
        names = [column for column in columns if column != "replica"]
        found: Mapping[str, Any] = {c: frame[c] for c in names}
        if self.has(matrix_name(name)):
            matrix = read_matrix(self.file(matrix_name(name)))
            found = SparseColumns(matrix, Items(**read_parquet(self.file(ITEMS))))
        kind = self._id_type(frame[id_column])
        return Customers(id_column, self.ids(frame[id_column]), found, replica, kind)

    def ids(self, column: NDArray[Any]) -> NDArray[np.object_]:
        """Return the ids in a file of the run as text, as `Customers` has them."""
        return self._id_type(column).read(column)

    def _id_type(self, column: NDArray[Any]) -> IdType:
        return stored_type(column, self.manifest.get("transactions", {}))


def open_run(path: Path) -> FinishedRun:
    """Return a finished run.

    Raises
    ------
    StoreError
        If there is none, it is not finished, failed, or was written by another version.
    """
    if not path.is_dir():
        raise StoreError(f"{path} is no directory. Runs are below outputs/")
    runs = runs_of(path)
    if runs and list(runs) != [path]:
        shown = ", ".join(str(run) for run in runs[:3])
        raise StoreError(f"{path} is a sweep of {len(runs)} runs: name one of them, {shown} ...")
    manifest = read_manifest(path)
    status = manifest["status"]
    if status not in _USABLE:
        cure = "segrun resume SWEEP goes on with a sweep" if status == "unfinished" else ""
        where = UNFINISHED if status == "unfinished" else MANIFEST
        raise StoreError(
            f"{path} is {status} ({path / where}): {manifest.get('reason') or 'no results'}. "
            f"{cure or 'Run it again'}"
        )
    _check_version(path, str(manifest.get("segrun", "")))
    return FinishedRun(path, manifest)


def runs_of(path: Path) -> Sequence[Path]:
    """Return the run directories of a sweep, in order; only `path` itself if it is a run."""
    if (path / MANIFEST).is_file() or (path / UNFINISHED).is_file():
        return [path]
    found = [file.parent for file in path.glob("*/" + MANIFEST)]
    found += [file.parent for file in path.glob("*/*/" + MANIFEST)]
    return sorted(found, key=_by_number)


def _by_number(path: Path) -> tuple[object, ...]:
    parts = re.split(r"(\d+)", str(path))
    return tuple(int(part) if part.isdigit() else part for part in parts)


#: Versions that write run directories of one form.
_SAME_FORM = {"0.1", "0.2"}


def _check_version(path: Path, written_by: str) -> None:
    from importlib import metadata

    own = metadata.version("segrun")
    then, now = (".".join(version.split(".")[:2]) for version in (written_by, own))
    if then != now and not {then, now} <= _SAME_FORM:
        raise StoreError(
            f"{path / MANIFEST} was written by segrun {written_by or 'of no known version'}, this "
            f"is {own}: run it again with this version, or read it with that one"
        )
