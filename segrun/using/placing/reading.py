"""Which of the new rows count, by their date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from functools import partial
from typing import TYPE_CHECKING, Any

from segrun.config import (
    DatasetConfig,
    Experiment,
    FeaturesConfig,
    FileConfig,
    any_file,
    check_ranges,
    from_plain,
    plain,
)
from segrun.config.override import changed
from segrun.data.address import is_address
from segrun.data.datasets.registry import dataset_of
from segrun.errors import ConfigError, DataError
from segrun.features.built import without_rule
from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.rundir.sparse import SparseColumns

if TYPE_CHECKING:
    from segrun.data.datasets import Rows


def between(
    rows: Rows, config: FeaturesConfig, first: datetime | None, last: datetime | None
) -> Rows:
    """Return the rows from a moment to another, None where there is no bound."""
    import narwhals as nw

    from segrun.features import feature_set_of

    if first is None and last is None:
        return rows
    date = feature_set_of(config).date(config, rows.kinds)
    if date is None:
        raise ConfigError("--from and --to go by a date, which these rows lack")
    if first is not None:
        rows = rows.filter(nw.col(date) >= first)
    if last is not None:
        rows = rows.filter(nw.col(date) <= last)
    return rows


def day(text: str | None, option: str, moment: time) -> datetime | None:
    """Return a date of the command line; without time it is that `moment` of the day."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text}: write an ISO date, such as 2011-12-09") from None
    if found.tzinfo is not None:
        raise ConfigError(f"{option} {text} has a time zone, which the transactions lack")
    return datetime.combine(found, moment) if len(text) <= len("2011-12-09") else found


@dataclass(frozen=True)
class New:
    """New customers."""

    customers: Customers  #: One row each, features in the units of the input; none set aside
    facts: Mapping[str, Any]  #: What the features counted and dropped
    told: Sequence[str]  #: What differs from the run's own input without harm
    dataset: FileConfig  #: The file, and how it was read


def read(run: FinishedRun, wanted: ApplyOptions) -> New:
    """Read new data and build the features of every customer in them."""
    from segrun import features
    from segrun.data import datasets

    experiment = _experiment(run, wanted)
    own = experiment.dataset
    datasets.check(own)
    assert isinstance(own, FileConfig)
    features.check(experiment.features, own)
    first, last = day(wanted.first, "--from", time.min), day(wanted.last, "--to", time.max)
    try:
        load = partial(datasets.load, seed=experiment.seed)
        # Dates and numbers that can be read in two ways are as the run's were.
        then = as_then(own, run.manifest.get("transactions", {}))
        with first_readable(load, own, then) as (dataset, transactions):
            told = _told(run, dataset, transactions)
            chosen = between(transactions, experiment.features, first, last)
            built = features.build(chosen, experiment.features, fitted_of(run), cluster=False)
            built = built.written_as(transactions.facts)
    except DataError as error:
        raise DataError(_as_advice(str(error), run, experiment.features)) from error
    return New(built.all_customers, built.facts, told, dataset)


def _as_advice(text: str, run: FinishedRun, config: FeaturesConfig) -> str:
    """Say of an error how the data were read, and that its cure may need another run."""
    cure = ""
    if any(f"features.{name}" in text for name in vars(config)):
        # What the features advise is for a run: here they are as they were fitted.
        cure = (
            "; features.KEY are settings of the run, which no option changes here: change the "
            "data, or run it again with another value"
        )
    return f"{text} (read as {run.path} read its own input{cure})"


def fitted_of(run: FinishedRun) -> Mapping[str, Any] | None:
    """Return what the features of the run have learned of its input."""
    found: dict[str, Any] | None = run.manifest["features"].get("fitted")
    columns = run.customers.columns
    if isinstance(columns, SparseColumns):
        return {**(found or {}), "items": columns.catalogue}
    return found


def _experiment(run: FinishedRun, wanted: ApplyOptions) -> Experiment:
    """Return the experiment of the run with the new file in place of its own, no outlier rule."""
    found = with_file(run, wanted.input, wanted.changes)
    # Few new lines may well be left out; that is told, and no option here could allow it.
    features = replace(without_rule(found.features), allow_removed=1.0)
    if wanted.reference_date is not None:
        if not hasattr(features, "reference_date"):
            raise ConfigError(f"--reference-date: features.name={features.name} has none")
        changes: dict[str, Any] = {"reference_date": wanted.reference_date}
        features = replace(features, **changes)
    return replace(found, features=features)


def with_file(run: FinishedRun, path: str, changes: Sequence[str]) -> Experiment:
    """Return the experiment of a run with another file in place of its input."""
    values = dict(run.experiment)
    dataset = values["dataset"]
    if "path" not in dataset:
        dataset = _as_file(from_plain(values).dataset, path)
    # The query of the run is not one of a file.
    asked = dataset.get("query") if is_address(path) else None
    dataset = {**dataset, "path": path, "query": asked}
    values["dataset"] = changed(dataset, changes, "dataset")
    experiment = from_plain(values)
    check_ranges(experiment.dataset, "dataset")
    return experiment


def _as_file(generated: DatasetConfig, path: str) -> dict[str, Any]:
    """Return the settings of a file with the columns of generated data."""
    own = plain(any_file(path))
    about = dataset_of(generated)
    kinds, name = about.columns(generated), about.id_column(generated)
    if name is None:
        # The embedded retailer has the columns of the UCI file.
        return own
    columns = {column: kind.value for column, kind in kinds.items()}
    return {
        **own, "name": "records", "kind": "records", "id": name, "columns": columns, "rename": {},
        "one_per_id": False,
    }  # fmt: skip


@contextmanager
def first_readable(
    load: Callable[[FileConfig], AbstractContextManager[Rows]], *ways: FileConfig
) -> Iterator[tuple[FileConfig, Rows]]:
    """Open data in the first way that works; where none does, the error is that of the first."""
    errors = []
    with ExitStack() as stack:
        for number, way in enumerate(ways):
            if way in ways[:number]:
                continue
            try:
                found = stack.enter_context(load(way))
            except DataError as error:
                errors.append(error)
            else:
                break
        else:
            raise errors[0]
        yield way, found


def as_then(dataset: FileConfig, facts: Mapping[str, Any]) -> FileConfig:
    """Return the settings by which the run's own file was read."""
    changes: dict[str, Any] = {}
    if dataset.date_format is None and facts.get("date_format"):
        changes["date_format"] = facts["date_format"]
    marks = set(facts.get("decimals", {}).values())
    if dataset.decimal.value == "auto" and len(marks) == 1:
        changes["decimal"] = type(dataset.decimal)(marks.pop())
    return replace(dataset, **changes)


def _used(dataset: DatasetConfig, names: Sequence[str]) -> Mapping[str, str]:
    """Return the columns of a file that are used, by what they hold."""
    from segrun.data.datasets.columns import find

    assert isinstance(dataset, FileConfig)
    return find(dataset, names).columns


def _told(run: FinishedRun, dataset: FileConfig, transactions: Rows) -> list[str]:
    """Say how the columns differ from those of the run's own input, where nothing is lost."""
    then = list(run.manifest.get("transactions", {}).get("columns", {}))
    now = list(transactions.facts.get("columns", {}))
    if not then or not now:
        return []
    found = []
    # What is used counts by what it holds, whatever either file calls it.
    own, ours = _used(from_plain(run.experiment).dataset, then), _used(dataset, now)
    known = {ours[role]: own[role] for role in ours if role in own}
    other = [f"{new} (then {old})" for new, old in known.items() if new != old]
    if other:
        found.append(f"columns that are called otherwise, used all the same: {', '.join(other)}")
    now = [known.get(c, c) for c in now]
    extra, gone = [c for c in now if c not in then], [c for c in then if c not in now]
    if extra:
        found.append(f"columns that the run's input had not, not used: {', '.join(extra)}")
    if gone:
        found.append(f"columns that only the run's input had, not needed: {', '.join(gone)}")
    if [c for c in now if c in then] != [c for c in then if c in now]:
        found.append("columns in another order than in the run's input")
    n_bad = sum(transactions.facts.get("n_bad", {}).values())
    if n_bad:
        found.append(f"{n_bad} bad lines left out (dataset.bad_lines)")
    return found


@dataclass(frozen=True)
class ApplyOptions:
    """What to apply to, and how."""

    input: str  #: File of new data
    #: Slug of the grid point; None: that of the segments, else the selected one.
    point: str | None = None
    first: str | None = None  #: ISO dates: only lines from the one to the other's end count
    last: str | None = None
    #: What Recency counts back from; None: as the experiment says.
    reference_date: str | None = None
    #: Whether the nearest centre may place rows that the algorithm cannot place.
    nearest: bool = False
    #: ``dataset.KEY=VALUE`` where the file is written otherwise than that of the run.
    changes: Sequence[str] = field(default_factory=tuple)
