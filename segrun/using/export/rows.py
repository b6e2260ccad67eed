"""The rows that are exported: the run's input, or its customers, each with its segment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import polars as pl

from segrun.config import FileConfig, RatingsFileConfig, from_plain
from segrun.data.address import is_address
from segrun.data.cache import cache_directory
from segrun.data.datasets import load
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.columns import find as find_named
from segrun.data.datasets.ratings import find_columns
from segrun.data.datasets.read import KEY, Original, open_original
from segrun.data.datasets.source import find
from segrun.data.datasets.table import Table
from segrun.errors import DataError, StoreError
from segrun.rundir.customers import Customers, id_type
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns
from segrun.using.export.files import LARGEST_WHOLE
from segrun.using.export.members import NAME, REPLICA, SEGMENT, with_key

#: What stands behind a name that the rows have already.
SUFFIX = "_joined"


def input_rows(run: FinishedRun, moved: str | None, *, typed: bool) -> pl.DataFrame:
    """Return the rows of a run's input as they stand, in order, and `KEY`."""
    experiment = from_plain(run.experiment)
    dataset = experiment.dataset
    if not isinstance(dataset, FileConfig):
        with load(dataset, experiment.seed) as found:
            frame = found.frame.to_native().with_columns(pl.col(found.key).alias(KEY))
            return pl.DataFrame(frame.collect(engine="streaming"))
    path = moved or dataset.path
    if not is_address(path):
        _check_same(run, path, _digest(run, path))
    return file_rows(
        replace(dataset, path=path), typed=typed, check=partial(_check_same, run, path)
    )


def file_rows(
    dataset: FileConfig, *, typed: bool, check: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Return the rows of any file as they stand, in order, and `KEY`; check its digest first."""
    columns = partial(_columns_of, dataset)
    with open_original(dataset, columns, cache_directory(), typed=typed) as original:
        check(original.sha256)
        return _rows(original, typed=typed)


def customer_rows(run: FinishedRun, members: pl.DataFrame) -> pl.DataFrame:
    """Return one row per customer, or per copy of one: id, features, what else is known; `KEY`.

    Those that the outlier rule set aside are among them, unless the run clustered copies. Ratings
    have a feature per item, too many for a table: these are left out.
    """
    frame = table_of(run.customers if REPLICA in members.columns else run.all_customers)
    if run.has("about.parquet"):
        about = with_key(run, pl.read_parquet(run.file("about.parquet")))
        frame = frame.join(about, on=KEY, how="left", maintain_order="left", suffix=SUFFIX)
    return frame


def table_of(customers: Customers) -> pl.DataFrame:
    """Return customers as a table: id, features unless they are ratings, `KEY`."""
    replica = {} if customers.replica is None else {REPLICA: customers.replica}
    return pl.DataFrame(
        {
            customers.id_column: customers.written_ids,
            **replica,
            **({} if isinstance(customers.columns, SparseColumns) else customers.columns),
            KEY: pl.Series(customers.ids, dtype=pl.String),
        }
    )


def with_segments(
    rows: pl.DataFrame, members: pl.DataFrame, called: Mapping[str, str]
) -> pl.DataFrame:
    """Return rows with number and name of their customer's segment, null without one."""
    names = {name: called.get(name, name) for name in (SEGMENT, NAME)}
    taken = [own for own, name in names.items() if name in rows.columns]
    if taken or names[SEGMENT] == names[NAME]:
        shown = ",".join(f"{own}=segrun_{own}" for own in taken or names)
        raise DataError(
            f"the rows have a column {' and '.join(names[own] for own in taken or names)} already: "
            f"give the segments' own other names, --as {shown}"
        )
    on = [KEY, REPLICA] if REPLICA in members.columns and REPLICA in rows.columns else [KEY]
    return rows.join(members.rename(names), on=on, how="left", maintain_order="left")


def _columns_of(dataset: FileConfig, table: Table) -> Mapped:
    if isinstance(dataset, RatingsFileConfig):
        found = find_columns(asdict(dataset.columns), table, dataset, "dataset.columns")
        rating = {"price": found["rating"]} if "rating" in found else {}
        return Mapped({"customer": found["user"], **rating}, found["user"])
    return find_named(dataset, table.names)


def _digest(run: FinishedRun, path: str) -> str:
    try:
        return find(path).sha256
    except DataError as error:
        raise StoreError(
            f"the input of {run.path} is not at {path} (looked in {Path.cwd()}): say where it is "
            f"with --input FILE ({error})"
        ) from error


def _check_same(run: FinishedRun, path: str, found: str) -> None:
    if found == run.manifest.get("input", {}).get("sha256"):
        return
    if is_address(path):
        raise StoreError(
            f"{path} gives other rows than those that {run.path} read: their sha256 is another. "
            "Export the customers (--customers), or run again; segrun apply takes new data"
        )
    raise StoreError(
        f"{path} is not the file that {run.path} read: its sha256 is another. Put the file "
        "back, or say where it is with --input FILE; segrun apply takes new data"
    )


def _rows(original: Original, *, typed: bool) -> pl.DataFrame:
    """Return the rows of a file; numbers that were text, ids too, are such where they are typed."""
    frame = _whole(original.frame.collect(engine="streaming"), original.numbers)
    own = original.id_column
    if not typed or frame.schema[own] != pl.String:
        return frame
    kind = id_type(original.ids, frame[KEY].drop_nulls().unique().to_numpy())
    return (
        frame
        if kind.name == "String"
        else frame.with_columns(kind.written(frame[KEY].to_numpy()).alias(own))
    )


def _whole(frame: pl.DataFrame, numbers: Sequence[str]) -> pl.DataFrame:
    """Return numbers that were text as int64 where all of them are whole."""
    whole = [
        name
        for name in numbers
        if (frame[name] == frame[name].round()).all()
        and frame[name].is_between(-LARGEST_WHOLE, LARGEST_WHOLE).all()
    ]
    return frame.with_columns(pl.col(whole).cast(pl.Int64))
